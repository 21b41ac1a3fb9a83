//! `*` stands for any run of characters, `\*` for itself.

/// How many wildcards may be followed by one and the same character.
const ALIKE_MAX: usize = 4;

/// A text with wildcards, as the pieces between them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wildcard {
    pieces: Vec<String>,
}

impl Wildcard {
    /// None when it has two wildcards in a row, an unknown escape, or too much to try.
    pub fn parse(text: &str) -> Option<Wildcard> {
        let mut pieces = vec![String::new()];
        let mut follows: Vec<char> = Vec::new();
        let mut chars = text.chars();
        let mut was_star = false;
        while let Some(next) = chars.next() {
            let literal = match next {
                '*' if was_star => return None,
                '*' => {
                    pieces.push(String::new());
                    was_star = true;
                    continue;
                }
                '\\' => chars.next().filter(|escaped| matches!(escaped, '*' | '\\'))?,
                other => other,
            };
            if was_star {
                follows.push(literal);
            }
            was_star = false;
            pieces.last_mut().expect("there is always a piece").push(literal);
        }
        let alike = |one: &char| follows.iter().filter(|other| *other == one).count();
        if follows.iter().any(|one| alike(one) > ALIKE_MAX) { None } else { Some(Wildcard { pieces }) }
    }

    pub fn matches(&self, text: &str) -> bool {
        let (first, rest) = self.pieces.split_first().expect("there is always a piece");
        let Some((last, middle)) = rest.split_last() else { return text == first };
        let Some(text) = text.strip_prefix(first.as_str()) else { return false };
        // The leftmost place of each piece leaves the most for the others.
        let mut text = text;
        for piece in middle {
            match text.find(piece.as_str()) {
                Some(at) => text = &text[at + piece.len()..],
                None => return false,
            }
        }
        text.ends_with(last.as_str())
    }
}
