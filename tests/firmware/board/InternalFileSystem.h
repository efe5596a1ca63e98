#pragma once
#include "Adafruit_LittleFS.h"

extern Adafruit_LittleFS_Namespace::FakeFiles InternalFS;
