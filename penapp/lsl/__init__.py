"""Lab Streaming Layer (extra `lsl`): the pen as an LSL stream, and any LSL stream that fits as a pen."""
