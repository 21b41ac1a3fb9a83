use super::*;

#[track_caller]
fn check(text: &str, expect: Result<&str, NumberError>) {
    let number = Number::parse(text);
    assert_eq!(number.map(|number| number.to_string()).as_deref(), expect.as_deref(), "{text}");
    if let Ok(number) = number {
        assert_eq!(Number::from_bytes(number.as_bytes()), Some(number), "{text}");
        assert_eq!(Number::parse(&number.to_string()), Ok(number), "{text}");
    }
}

#[test]
fn texts() {
    use NumberError::*;
    for (text, expect) in [
        ("0", "0"),
        ("-0", "0"),
        ("+0.000", "0"),
        ("0e999999999999999999999", "0"),
        ("1.0", "1"),
        ("1E2", "100"),
        ("+3", "3"),
        (".123", "0.123"),
        ("1.", "1"),
        ("0001.23", "1.23"),
        ("00042", "42"),
        ("1e+5", "100000"),
        ("-17.4E37", "-174000000000000000000000000000000000000"),
        ("0.05", "0.05"),
        ("0.5", "0.5"),
        ("10.010", "10.01"),
        ("100.001", "100.001"),
        ("-7.1234", "-7.1234"),
        ("99", "99"),
        ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ("1.2345678901234567890123456789012345678", "1.2345678901234567890123456789012345678"),
        ("12.345678901234567890123456789012345678", "12.345678901234567890123456789012345678"),
        ("100000000000000000000000000000000000000000", "100000000000000000000000000000000000000000"),
        ("0.1e126", &format!("1{}", "0".repeat(125))),
        ("1E125", &format!("1{}", "0".repeat(125))),
        ("9.9999999999999999999999999999999999999E+125", &format!("{}{}", "9".repeat(38), "0".repeat(88))),
        ("1E-130", &format!("0.{}1", "0".repeat(129))),
        ("-1E-130", &format!("-0.{}1", "0".repeat(129))),
        (
            "1.2345678901234567890123456789012345678E-130",
            &format!("0.{}{}", "0".repeat(129), "12345678901234567890123456789012345678"),
        ),
    ] {
        check(text, Ok(expect));
    }
    for (text, expect) in [
        ("", Malformed),
        ("+", Malformed),
        (".", Malformed),
        ("e5", Malformed),
        ("1e", Malformed),
        ("1e+", Malformed),
        ("1e1.5", Malformed),
        ("1.2.3", Malformed),
        ("--1", Malformed),
        (" 1", Malformed),
        ("1 ", Malformed),
        ("NaN", Malformed),
        ("Infinity", Malformed),
        ("1_000", Malformed),
        ("٣", Malformed),
        ("1E126", Overflow),
        ("-1E126", Overflow),
        ("11e125", Overflow),
        ("1.0e100000000000000000000000", Overflow),
        ("1E-131", Underflow),
        ("0.9e-130", Underflow),
        ("1e-99999999999999999999999", Underflow),
        ("123456789012345678901234567890123456789", Precision),
        ("3.14159265358979323846264338327950288419", Precision),
        ("1000000000000000000000000000000000000000000000001", Precision),
    ] {
        check(text, Err(expect));
    }
}

/// What a number adds to an item: a byte for the exponent, one for two digits, one for the end of a negative.
#[test]
fn sizes() {
    for (text, expect) in [
        ("0", 1),
        ("1", 2),
        ("99", 2),
        ("100", 2),
        ("101", 3),
        ("10", 2),
        ("123", 3),
        ("1234", 3),
        ("-1", 3),
        ("-1234", 4),
        ("0.1", 2),
        ("1.1", 3),
        ("12345678901234567890123456789012345678", 20),
        ("1.2345678901234567890123456789012345678", 21),
        ("-1.2345678901234567890123456789012345678", 21),
    ] {
        assert_eq!(Number::parse(text).unwrap().size_bytes(), expect, "{text}");
    }
}

#[test]
fn sums() {
    let n = |text: &str| Number::parse(text).unwrap();
    for (a, b, expect) in [
        ("1", "2", Ok("3")),
        ("0.1", "0.2", Ok("0.3")),
        ("5", "-5", Ok("0")),
        ("1", "10000000000000000000000", Ok("10000000000000000000001")),
        ("99999999999999999999999999999999999999", "1", Ok("100000000000000000000000000000000000000")),
        ("100000000000000000000000000000000000000", "-1", Ok("99999999999999999999999999999999999999")),
        ("1e50", "1", Err(NumberError::Overflow)),
        ("1e50", "-1", Err(NumberError::Overflow)),
        ("9e125", "9e125", Err(NumberError::Overflow)),
        ("99999999999999999999999999999999999999", "0.1", Err(NumberError::Overflow)),
        ("1.1e-130", "-1e-130", Err(NumberError::Underflow)),
    ] {
        let sum = n(a).checked_add(n(b));
        assert_eq!(sum, expect.map(n), "{a} + {b}");
        assert_eq!(n(b).checked_add(n(a)), sum, "{b} + {a}");
    }
    assert_eq!(n("9e125").checked_add(n("9e124")), Ok(n("9.9e125")));
    assert_eq!(n("7").checked_sub(n("10")), Ok(n("-3")));
}

#[test]
fn impossible_bytes() {
    for bytes in [
        &[][..],
        &[128, 0],
        &[193],
        &[193, 1],
        &[193, 102],
        &[193, 2, 1],
        &[62],
        &[62, 102],
        &[62, 100],
        &[62, 0, 102],
        &[62, 101, 102],
        &[
            193, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100,
            100, 100,
        ],
        &[1; 40],
        &[255; 40],
    ] {
        assert_eq!(Number::from_bytes(bytes), None, "{bytes:?}");
    }
}

#[test]
fn whole_numbers() {
    assert_eq!(Number::from(u64::MAX).to_u64(), Some(u64::MAX));
    assert_eq!(Number::from(u64::MAX).to_string(), u64::MAX.to_string());
    assert_eq!(Number::from(i64::MIN).to_string(), i64::MIN.to_string());
    assert_eq!(Number::parse("18446744073709551616").unwrap().to_u64(), None);
    assert_eq!(Number::parse("1e19").unwrap().to_u64(), Some(10_000_000_000_000_000_000));
    assert_eq!(Number::parse("1.5").unwrap().to_u64(), None);
    assert_eq!(Number::from(0u64).to_u64(), Some(0));
}
