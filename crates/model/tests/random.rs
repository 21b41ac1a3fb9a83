//! Seeded random values.

use model::{Item, Number, Value};

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    pub fn bytes(&mut self) -> Vec<u8> {
        let len = self.below(6);
        (0..len).map(|_| self.pick(&[0, 0, 1, 2, 127, 128, 254, 255, b'a', b'b'])).collect()
    }

    pub fn text(&mut self) -> String {
        let len = if self.below(50) == 0 { 200 } else { self.below(5) };
        (0..len).map(|_| self.pick(&['\0', '\u{1}', 'a', 'b', 'é', '\u{7ff}', '￿', '😀'])).collect()
    }

    pub fn number(&mut self) -> Number {
        let digits = match self.below(4) {
            0 => 1 + self.below(3),
            _ => 1 + self.below(Number::DIGITS_MAX),
        };
        let coefficient: String = (0..digits).map(|_| self.pick(&['0', '1', '5', '9', '9', '3'])).collect();
        let sign = self.pick(&["", "-"]);
        let exponent = match self.below(3) {
            0 => 0,
            1 => self.below(20) as i64 - 10,
            _ => self.below(88 + 130 - 38) as i64 - 130 + 38,
        };
        Number::parse(&format!("{sign}{coefficient}e{exponent}")).unwrap_or(Number::ZERO)
    }

    pub fn value(&mut self, depth: usize) -> Value {
        let kinds = if depth == 0 { 8 } else { 10 };
        match self.below(kinds) {
            0 => Value::S(self.text()),
            1 => Value::N(self.number()),
            2 => Value::B(self.bytes()),
            3 => Value::Bool(self.below(2) == 0),
            4 => Value::Null,
            5 => self.set(|random| random.text(), Value::string_set),
            6 => self.set(|random| random.number(), Value::number_set),
            7 => self.set(|random| random.bytes(), Value::binary_set),
            8 => Value::L((0..self.below(4)).map(|_| self.value(depth - 1)).collect()),
            _ => Value::M(self.item(depth - 1)),
        }
    }

    pub fn item(&mut self, depth: usize) -> Item {
        (0..self.below(5)).map(|_| (self.text(), self.value(depth))).collect()
    }

    fn set<T: Ord>(
        &mut self,
        mut element: impl FnMut(&mut Random) -> T,
        set: impl Fn(Vec<T>) -> Result<Value, model::SetFault>,
    ) -> Value {
        let mut elements: Vec<T> = (0..=self.below(3)).map(|_| element(self)).collect();
        elements.sort();
        elements.dedup();
        set(elements).expect("distinct elements")
    }
}
