/* As much of an Arduino core as the sketch uses, played by the test: sensors by their registers, a clock by hand. */
#pragma once
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <vector>

using std::memcpy;
using std::memset;

extern uint64_t fake_us;
extern void (*fake_isr)();
extern int fake_force;

enum { LOW, HIGH, INPUT, OUTPUT, RISING, AR_VDD4 };
const int A0 = 0, LED_BUILTIN = 13, PIN_LSM6DS3TR_C_POWER = 15, PIN_LSM6DS3TR_C_INT1 = 18;

inline void pinMode(int, int) {}
inline void digitalWrite(int, int) {}
inline void delay(uint32_t) {}
inline uint32_t millis() { return (uint32_t)(fake_us / 1000); }
inline int digitalPinToInterrupt(int pin) { return pin; }
inline void attachInterrupt(int, void (*isr)(), int) { fake_isr = isr; }
inline void analogReference(int) {}
inline void analogReadResolution(int) {}
inline void analogOversampling(int) {}
inline int analogRead(int) { return fake_force; }

struct CaptureTask {
    uint32_t *cc;
    void operator=(uint32_t) { *cc = (uint32_t)fake_us; }
};
struct FakeTimer {
    uint32_t MODE, BITMODE, PRESCALER, TASKS_CLEAR, TASKS_START, CC[6];
    CaptureTask TASKS_CAPTURE[2] = {{&CC[0]}, {&CC[1]}};
};
struct AlwaysReady {
    void operator=(uint32_t) {}
    operator uint32_t() const { return 1; }
};
struct FakeRandom {
    uint32_t TASKS_START, TASKS_STOP, VALUE = 0x5A;
    AlwaysReady EVENTS_VALRDY;
};
struct FakeClock {
    uint32_t TASKS_HFCLKSTART;
};
struct FakeFactory {
    uint32_t DEVICEID[2] = {0x04030201, 0x08070605};
};
extern FakeTimer fake_timer;
extern FakeRandom fake_random;
extern FakeClock fake_clock;
extern FakeFactory fake_factory;
#define NRF_TIMER4 (&fake_timer)
#define NRF_RNG (&fake_random)
#define NRF_CLOCK (&fake_clock)
#define NRF_FICR (&fake_factory)
#define TIMER_MODE_MODE_Timer 0
#define TIMER_BITMODE_BITMODE_32Bit 3

struct FakeSerial {
    bool open = false;
    std::deque<uint8_t> from_host;
    std::vector<uint8_t> to_host;
    int room = 64;
    void begin(uint32_t) {}
    explicit operator bool() const { return open; }
    int availableForWrite() { return room; }
    size_t write(const uint8_t *bytes, size_t size)
    {
        to_host.insert(to_host.end(), bytes, bytes + size);
        return size;
    }
    int available() { return (int)from_host.size(); }
    int read()
    {
        int byte = from_host.front();
        from_host.pop_front();
        return byte;
    }
    void flush() {}
};
extern FakeSerial Serial;

void setup();
void loop();
