//! Words and signs of a statement.

use super::SyntaxError;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A keyword or a name.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    /// A string in single quotes.
    Text(String),
    Number(String),
    Sign(&'static str),
}

/// Longer ones before their beginnings.
const SIGNS: [&str; 21] = [
    "<<", ">>", "<=", ">=", "<>", "!=", "=", "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", "?", "*",
    "+",
];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '\'' | '"' => {
                let (inner, taken) = quoted(rest, first)?;
                tokens.push(if first == '"' { Token::Quoted(inner) } else { Token::Text(inner) });
                taken
            }
            '0'..='9' => {
                let taken = number(rest);
                tokens.push(Token::Number(rest[..taken].to_owned()));
                taken
            }
            '_' | '$' | '@' | 'a'..='z' | 'A'..='Z' => {
                let end = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '@'));
                let taken = rest.find(end).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..taken].to_owned()));
                taken
            }
            '-' => {
                tokens.push(Token::Sign("-"));
                1
            }
            _ => {
                let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) else {
                    return Err(SyntaxError::new(format!("Unexpected character: {first}")));
                };
                tokens.push(Token::Sign(sign));
                sign.len()
            }
        };
        rest = rest[taken..].trim_start();
    }
    Ok(tokens)
}

/// What stands in quotes, where two stand for one; and how far that went.
fn quoted(text: &str, quote: char) -> Result<(String, usize), SyntaxError> {
    let mut inner = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            inner.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            chars.next();
            inner.push(quote);
        } else {
            return Ok((inner, at + 1));
        }
    }
    Err(SyntaxError::new("Unterminated string"))
}

fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| from + bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    end
}
