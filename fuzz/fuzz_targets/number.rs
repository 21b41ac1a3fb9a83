//! A text is a number that prints as itself, or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Number;

fuzz_target!(|text: &str| {
    if let Ok(number) = Number::parse(text) {
        assert_eq!(Number::parse(&number.to_string()), Ok(number));
        assert_eq!(Number::from_bytes(number.as_bytes()), Some(number));
        if let Ok(double) = number.checked_add(number) {
            assert_eq!(double.checked_sub(number), Ok(number));
        }
    }
});
