# make run    the program: the window where there is a display, otherwise decoding in the terminal
# make test   lint, types, tests
# make soak   the same tests with every campaign at full length
# make lint   lint and types alone
# make firmware   the pen's core for a Cortex-M4, with its sizes (needs arm-none-eabi-gcc)
# make ble-vm the virtual pen through real BlueZ in an emulated machine (slow; needs qemu, see docs/simulated-radio.md)

BIN := .venv/bin

.PHONY: run test soak lint firmware ble-vm clean

run: .venv/.installed-app
	@if sh .ci/qt-libraries.sh window; then $(BIN)/penapp run; \
	else echo "going on in the terminal" >&2; env -u DISPLAY -u WAYLAND_DISPLAY $(BIN)/penapp run; fi

test: lint
	@sh .ci/qt-libraries.sh offscreen
	@sh .ci/dbus.sh
	QT_QPA_PLATFORM=offscreen $(BIN)/pytest -n 2 -m "not slow"

soak: .venv/.installed-test
	@sh .ci/qt-libraries.sh offscreen
	@sh .ci/dbus.sh
	QT_QPA_PLATFORM=offscreen PENAPP_SOAK=1 $(BIN)/pytest -n 2

lint: .venv/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

firmware:
	$(MAKE) -s -C firmware_protocol/firmware cortex-m4 BUILD=$(CURDIR)/build/firmware

ble-vm: .venv/.installed-test
	sh .ci/ble-vm.sh

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache

.venv/.installed-%: pyproject.toml .ci/venv.sh
	sh .ci/venv.sh $*
