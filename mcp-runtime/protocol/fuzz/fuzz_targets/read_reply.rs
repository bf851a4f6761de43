#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| mcpfleet_protocol_fuzz::read_reply(data));
