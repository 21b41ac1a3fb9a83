//! An expression's text as tokens.

/// A token and where it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, a function or a keyword: starts with a letter.
    Word,
    /// `#name`
    Name,
    /// `:value`
    Value,
    /// Digits.
    Index,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// Any other character, alone. Most of them fit nowhere.
    Symbol(char),
    End,
}

/// All tokens of a text, with an `End` after the last.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(text.len() / 3 + 1);
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if matches!(first, ' ' | '\t' | '\r' | '\n') {
            at += 1;
            continue;
        }
        let (kind, len) = token(&text[at..], first);
        tokens.push(Token { kind, start: at, end: at + len });
        at += len;
    }
    let end = tokens.last().map_or(0, |token| token.end);
    tokens.push(Token { kind: Kind::End, start: end, end });
    tokens
}

fn token(text: &str, first: char) -> (Kind, usize) {
    let word = |from: usize| {
        let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        text.as_bytes()[from..].iter().take_while(|byte| part(byte)).count()
    };
    let second = text.as_bytes().get(1);
    match first {
        'a'..='z' | 'A'..='Z' => (Kind::Word, word(0)),
        '#' if word(1) > 0 => (Kind::Name, 1 + word(1)),
        ':' if word(1) > 0 => (Kind::Value, 1 + word(1)),
        '0'..='9' => (Kind::Index, text.bytes().take_while(u8::is_ascii_digit).count()),
        '<' if second == Some(&b'=') => (Kind::LessOrEqual, 2),
        '<' if second == Some(&b'>') => (Kind::NotEqual, 2),
        '>' if second == Some(&b'=') => (Kind::GreaterOrEqual, 2),
        '<' => (Kind::Less, 1),
        '>' => (Kind::Greater, 1),
        '=' => (Kind::Equal, 1),
        other => (Kind::Symbol(other), other.len_utf8()),
    }
}

impl Token {
    pub fn is(&self, symbol: char) -> bool {
        self.kind == Kind::Symbol(symbol)
    }
}
