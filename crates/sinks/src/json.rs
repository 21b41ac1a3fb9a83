//! JSON read forward, piece by piece, in place. It gives up (none) on whatever it does not expect, and explains nothing.

/// One pass over a text.
pub struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

/// What stands between two quotes.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'t> {
    pub raw: &'t str,
    /// Where in the text it begins.
    pub at: usize,
    /// Some of its characters are spelt by others.
    pub is_escaped: bool,
}

impl Quoted<'_> {
    /// What it means.
    pub fn unescaped(&self) -> Option<String> {
        match self.is_escaped {
            false => Some(self.raw.to_owned()),
            true => serde_json::from_str(&format!("\"{}\"", self.raw)).ok(),
        }
    }

    pub fn is(&self, text: &str) -> bool {
        match self.is_escaped {
            false => self.raw == text,
            true => self.unescaped().is_some_and(|own| own == text),
        }
    }
}

/// In each byte of a word.
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The high bits of bytes that end a plain run: a quote, a backslash, a control character. The lowest is right, others
/// above it may not be.
fn special(word: u64) -> u64 {
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (zero(word ^ (ONES * b'"' as u64)) | zero(word ^ (ONES * b'\\' as u64)) | control) & HIGH
}

impl<'t> Scanner<'t> {
    pub fn new(text: &'t str) -> Scanner<'t> {
        Scanner { text, at: 0 }
    }

    /// The same, from this place on.
    pub fn starting(text: &'t str, at: usize) -> Scanner<'t> {
        Scanner { text, at }
    }

    /// Where it is.
    pub fn at(&self) -> usize {
        self.at
    }

    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    pub fn expect(&mut self, byte: u8) -> Option<()> {
        self.takes(byte).then_some(())
    }

    /// Nothing follows.
    pub fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// An object's next member, which its value follows; the inner none: there are no more. `is_first` begins as true.
    pub fn member(&mut self, is_first: &mut bool) -> Option<Option<Quoted<'t>>> {
        if self.takes(b'}') {
            return Some(None);
        }
        if !std::mem::take(is_first) {
            self.expect(b',')?;
        }
        let name = self.quoted()?;
        self.expect(b':')?;
        Some(Some(name))
    }

    /// Whether an array has another element.
    pub fn element(&mut self, is_first: &mut bool) -> Option<bool> {
        if self.takes(b']') {
            return Some(false);
        }
        if !std::mem::take(is_first) {
            self.expect(b',')?;
        }
        Some(true)
    }

    /// Goes behind a member's name and what its value begins with, where they stand there just so, without a space.
    pub fn opens(&mut self, opening: &str, is_first: &mut bool) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let member = if *is_first { Some(rest) } else { rest.strip_prefix(b",") };
        let Some(behind) = member.and_then(|member| member.strip_prefix(opening.as_bytes())) else {
            return false;
        };
        self.at += rest.len() - behind.len();
        *is_first = false;
        true
    }

    pub fn quoted(&mut self) -> Option<Quoted<'t>> {
        self.expect(b'"')?;
        self.unquoted()
    }

    /// The same, where it is behind the first quote.
    pub fn unquoted(&mut self) -> Option<Quoted<'t>> {
        let (bytes, from) = (self.text.as_bytes(), self.at);
        let (mut at, mut is_escaped) = (from, false);
        loop {
            while let Some(word) = bytes.get(at..at + 8) {
                let found = special(u64::from_le_bytes(word.try_into().ok()?));
                if found != 0 {
                    at += found.trailing_zeros() as usize / 8;
                    break;
                }
                at += 8;
            }
            match *bytes.get(at)? {
                b'"' => break,
                b'\\' => {
                    is_escaped = true;
                    at += 2;
                }
                0..0x20 => return None,
                _ => at += 1,
            }
        }
        self.at = at + 1;
        Some(Quoted { raw: self.text.get(from..at)?, at: from, is_escaped })
    }

    /// Any value, as it stands there.
    pub fn raw(&mut self) -> Option<&'t str> {
        let first = self.peek()?;
        let from = self.at;
        match first {
            b'"' => drop(self.quoted()?),
            b'{' | b'[' => self.nested()?,
            _ => drop(self.word()?),
        }
        self.text.get(from..self.at)
    }

    fn nested(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match *self.text.as_bytes().get(self.at)? {
                b'"' => {
                    self.quoted()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// A number, true, false or null.
    pub fn word(&mut self) -> Option<&'t str> {
        self.peek()?;
        let rest = self.text.get(self.at..)?;
        let is_end =
            |byte: u8| matches!(byte, b',' | b'}' | b']' | b':' | b'"' | b' ' | b'\n' | b'\r' | b'\t');
        let length = rest.bytes().position(is_end).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).filter(|word| !word.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> Option<(String, usize)> {
        let mut scanner = Scanner::new(text);
        let quoted = scanner.quoted()?;
        Some((quoted.unescaped()?, scanner.at()))
    }

    #[test]
    fn texts_end_at_their_quote() {
        for length in 0..40 {
            let inner = "é".repeat(length / 2) + &"x".repeat(length % 2);
            for tail in ["", ",", ",\"and more text than a word has\""] {
                let text = format!("\"{inner}\"{tail}");
                assert_eq!(quoted(&text), Some((inner.clone(), inner.len() + 2)), "{text}");
            }
        }
        assert_eq!(quoted(r#" "a\"b\\" "#), Some(("a\"b\\".to_owned(), 9)));
        assert_eq!(quoted(r#""\ud83d\ude00\u0000""#), Some(("😀\0".to_owned(), 20)));
        for wrong in ["", "x", "\"open", "\"open\\", "\"open\\\"", "\"a\nb\"", "\"\\q\"", "\"\\ud83d\""] {
            assert_eq!(quoted(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn values_are_passed_over() {
        for value in ["{}", "[]", r#"{"a":[{"b":"}]\""}],"c":1e3}"#, "true", "-1.5", "null", r#""x""#] {
            let text = format!(" {value} ,");
            let mut scanner = Scanner::new(&text);
            assert_eq!(scanner.raw(), Some(value));
            assert!(scanner.expect(b',').is_some() && scanner.is_at_end());
        }
        for wrong in ["", "{", "[1", ",", "{\"a\":\"}"] {
            assert_eq!(Scanner::new(wrong).raw(), None, "{wrong}");
        }
    }

    #[test]
    fn openings_are_met_as_they_are_expected_or_not_at_all() {
        let text = r#"{"a":{"S":"x"},"b":{"N":"1"}, "c":{"S":"y"}}"#;
        let (mut scanner, mut is_first) = (Scanner::starting(text, 1), true);
        assert!(!scanner.opens(r#""b":{"N":""#, &mut is_first));
        assert!(scanner.opens(r#""a":{"S":""#, &mut is_first) && !is_first);
        assert_eq!(scanner.unquoted().map(|text| text.raw), Some("x"));
        assert!(scanner.expect(b'}').is_some());
        assert!(!scanner.opens(r#""b":{"S":""#, &mut is_first));
        assert!(scanner.opens(r#""b":{"N":""#, &mut is_first));
        assert_eq!(scanner.unquoted().map(|text| text.raw), Some("1"));
        assert!(scanner.expect(b'}').is_some());
        assert!(!scanner.opens(r#""c":{"S":""#, &mut is_first), "there is a space");
        assert_eq!(scanner.member(&mut is_first).flatten().map(|name| name.raw), Some("c"));
    }

    #[test]
    fn members_are_between_commas() {
        let names = |text: &str| {
            let mut scanner = Scanner::new(text);
            scanner.expect(b'{')?;
            let (mut names, mut is_first) = (String::new(), true);
            while let Some(name) = scanner.member(&mut is_first)? {
                names.push_str(name.raw);
                scanner.raw()?;
            }
            Some(names)
        };
        assert_eq!(names(r#"{ "a" : 1 , "b":{}}"#).as_deref(), Some("ab"));
        assert_eq!(names("{}").as_deref(), Some(""));
        for wrong in [r#"{"a":1,}"#, r#"{"a":1 "b":2}"#, r#"{,"a":1}"#, r#"{"a"}"#, r#"{"a":1"#] {
            assert_eq!(names(wrong), None, "{wrong}");
        }
    }
}
