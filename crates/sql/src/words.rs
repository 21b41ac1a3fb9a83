//! The words of MySQL's enums and sets: each a value, or part of one.

use std::fmt;
use std::sync::Arc;

/// Words that are told of a column.
const TOLD_MAX: usize = 8;

/// What a column takes and gives back as it was: letter by letter, where MySQL would take `SMALL` for `small`, and `2` for
/// the second word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    words: Arc<[String]>,
    /// Several of them, separated by commas, in their order.
    is_set: bool,
}

impl Words {
    /// From `enum('small','it''s')` or `set('a','b')`, as the catalogue spells them.
    pub(crate) fn of(type_name: &str) -> Option<Words> {
        let (is_set, list) = match type_name.strip_prefix("enum(") {
            Some(list) => (false, list),
            None => (true, type_name.strip_prefix("set(")?),
        };
        let mut rest = list.strip_suffix(')')?;
        let mut words = Vec::new();
        loop {
            let (word, after) = word(rest.strip_prefix('\'')?)?;
            words.push(word);
            match after.strip_prefix(',') {
                Some(more) => rest = more,
                None if after.is_empty() => return Some(Words { words: words.into(), is_set }),
                None => return None,
            }
        }
    }

    pub(crate) fn take(&self, text: &str) -> bool {
        let mut left = self.words.iter();
        match (self.is_set, text) {
            (false, text) => left.any(|word| word == text),
            // None of them.
            (true, "") => true,
            (true, text) => text.split(',').all(|part| left.any(|word| word == part)),
        }
    }
}

/// A word up to its quote, and what follows.
fn word(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\'' if text[at + 1..].starts_with('\'') => {
                letters.next();
                word.push('\'');
            }
            '\'' => return Some((word, &text[at + 1..])),
            '\\' => word.push(match letters.next()?.1 {
                'n' => '\n',
                'r' => '\r',
                '0' => '\0',
                itself => itself,
            }),
            letter => word.push(letter),
        }
    }
    None
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set { "sets of " } else { "the words " })?;
        let told: Vec<String> = self.words.iter().take(TOLD_MAX).map(|word| format!("'{word}'")).collect();
        f.write_str(&told.join(", "))?;
        match self.words.len().saturating_sub(TOLD_MAX) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_the_catalogue_spells_them() {
        let told = |type_name: &str| Words::of(type_name).map(|words| words.words.to_vec());
        let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
        assert_eq!(told("enum('a','B b')"), words(&["a", "B b"]));
        assert_eq!(told("set('it''s','a)','\\\\','\\n','')"), words(&["it's", "a)", "\\", "\n", ""]));
        for other in ["enum()", "enum('a'", "enum('a' 'b')", "varchar(9)", "enum"] {
            assert_eq!(told(other), None, "{other}");
        }
    }

    #[test]
    fn a_value_is_a_word_letter_by_letter() {
        let one = Words::of("enum('small','Large')").unwrap();
        assert!(one.take("small") && one.take("Large"));
        assert!(!one.take("SMALL") && !one.take("1") && !one.take("") && !one.take("small "));
        let several = Words::of("set('a','b','c')").unwrap();
        assert!(several.take("") && several.take("b") && several.take("a,c"));
        assert!(!several.take("c,a") && !several.take("a,a") && !several.take("a,") && !several.take("d"));
        assert_eq!(one.to_string(), "the words 'small', 'Large'");
    }
}
