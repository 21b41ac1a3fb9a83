//! Numbers against 128-bit arithmetic, and their order against their bytes'.

use crate::random::Random;
use model::Number;

#[test]
fn a_printed_number_is_read_back() {
    let mut random = Random::new(1);
    for _ in 0..20_000 {
        let number = random.number();
        let text = number.to_string();
        assert_eq!(Number::parse(&text), Ok(number), "{text}");
        assert_eq!(Number::from_bytes(number.as_bytes()), Some(number), "{text}");
        assert!(!text.contains(['e', 'E']), "{text}");
    }
}

#[test]
fn sums_are_those_of_integers() {
    let mut random = Random::new(2);
    let draw = |random: &mut Random| {
        let bits = random.below(100);
        let wide = (i128::from(random.next()) << 64) | i128::from(random.next());
        (wide >> (127 - bits)) - random.below(2) as i128
    };
    for _ in 0..20_000 {
        let (a, b) = (draw(&mut random), draw(&mut random));
        let shift = random.below(80) as i64 - 40;
        let number = |value: i128| Number::parse(&format!("{value}e{shift}")).unwrap();
        assert_eq!(number(a).checked_add(number(b)), Ok(number(a + b)), "{a} + {b} e{shift}");
        assert_eq!(number(a).checked_sub(number(b)), Ok(number(a - b)), "{a} - {b} e{shift}");
        assert_eq!(number(a).cmp(&number(b)), a.cmp(&b), "{a} <> {b} e{shift}");
        assert_eq!(number(a).as_bytes().cmp(number(b).as_bytes()), a.cmp(&b), "{a} <> {b} e{shift}");
    }
}

#[test]
fn sums_come_apart_again_or_are_refused() {
    let mut random = Random::new(3);
    let mut exact = 0;
    for _ in 0..20_000 {
        let (a, b) = (random.number(), random.number());
        assert_eq!(a.checked_add(b), b.checked_add(a));
        if let Ok(sum) = a.checked_add(b) {
            exact += 1;
            assert_eq!(sum.checked_sub(b), Ok(a), "{a} + {b}");
        }
        // The order is that of the sign of the difference, where there is one.
        if let Ok(difference) = a.checked_sub(b) {
            assert_eq!(difference.cmp(&Number::ZERO), a.cmp(&b), "{a} - {b}");
        }
    }
    assert!(exact > 1000, "{exact}");
}

#[test]
fn any_bytes_are_a_number_or_refused() {
    let mut random = Random::new(4);
    let mut found = 0;
    for _ in 0..200_000 {
        let len = random.below(24);
        let mut bytes: Vec<u8> = (0..len).map(|_| random.pick(&[1, 2, 50, 91, 100, 101, 102])).collect();
        if let Some(first) = bytes.first_mut() {
            *first = random.next() as u8;
        }
        if let Some(number) = Number::from_bytes(&bytes) {
            found += 1;
            assert_eq!(number.as_bytes(), bytes);
            assert_eq!(Number::parse(&number.to_string()), Ok(number), "{bytes:?}");
        }
    }
    assert!(found > 1000, "{found}");
}
