/* Files in memory. */
#pragma once
#include "Arduino.h"

namespace Adafruit_LittleFS_Namespace {
enum { FILE_O_READ, FILE_O_WRITE };
struct FakeFiles {
    std::map<std::string, std::vector<uint8_t>> files;
    bool begin() { return true; }
    bool remove(const char *path) { return files.erase(path) > 0; }
};
struct File {
    FakeFiles &all;
    std::vector<uint8_t> *open_one = nullptr;
    explicit File(FakeFiles &files) : all(files) {}
    bool open(const char *path, uint8_t mode)
    {
        if (mode == FILE_O_READ && !all.files.count(path))
            return false;
        open_one = &all.files[path];
        return true;
    }
    int read(void *out, uint16_t room)
    {
        size_t size = open_one->size() < room ? open_one->size() : room;
        memcpy(out, open_one->data(), size);
        return (int)size;
    }
    size_t write(const uint8_t *bytes, size_t size)
    {
        open_one->insert(open_one->end(), bytes, bytes + size);
        return size;
    }
    void close() {}
};
} // namespace Adafruit_LittleFS_Namespace
