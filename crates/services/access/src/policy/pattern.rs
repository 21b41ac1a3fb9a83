//! Patterns with `*` and `?`, and with variables that the request fills in.

use super::Context;

/// A piece of a pattern: what it stands for is decided before anything is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Exact(char),
    One,
    Any,
}

/// Whether a text is what a pattern describes. A variable that the request does not fill describes nothing.
pub(super) fn matches(pattern: &str, text: &str, context: &Context) -> bool {
    expand(pattern, context).is_some_and(|pieces| run(&pieces, text))
}

/// The same without regard to case, and without variables: for names of actions.
pub(super) fn matches_action(pattern: &str, action: &str) -> bool {
    let pieces: Vec<Piece> = pattern.to_ascii_lowercase().chars().map(plain).collect();
    run(&pieces, &action.to_ascii_lowercase())
}

/// ARNs are compared part by part, the last of which may hold colons.
pub(super) fn matches_arn(pattern: &str, text: &str, context: &Context) -> bool {
    if pattern == "*" {
        return true;
    }
    let patterns: Vec<&str> = pattern.splitn(6, ':').collect();
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    patterns.len() == parts.len()
        && patterns.iter().zip(parts).all(|(pattern, part)| matches(pattern, part, context))
}

/// A text with its variables filled in, and no wildcards.
pub(super) fn filled(text: &str, context: &Context) -> Option<String> {
    let pieces = expand(text, context)?.into_iter();
    Some(
        pieces
            .map(|piece| match piece {
                Piece::Exact(letter) => letter,
                Piece::One => '?',
                Piece::Any => '*',
            })
            .collect(),
    )
}

fn plain(letter: char) -> Piece {
    match letter {
        '*' => Piece::Any,
        '?' => Piece::One,
        letter => Piece::Exact(letter),
    }
}

fn expand(pattern: &str, context: &Context) -> Option<Vec<Piece>> {
    let mut pieces = Vec::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, behind)) = after.split_once('}') else { break };
        pieces.extend(before.chars().map(plain));
        match name {
            "*" | "?" | "$" => pieces.extend(name.chars().map(Piece::Exact)),
            name => {
                // `${aws:username, 'anonymous'}` has a default.
                let (name, default) = match name.split_once(',') {
                    Some((name, default)) => (name.trim(), Some(default.trim().trim_matches('\''))),
                    None => (name, None),
                };
                // What the request says is never a wildcard.
                pieces.extend(context.value(name).or(default)?.chars().map(Piece::Exact));
            }
        }
        rest = behind;
    }
    pieces.extend(rest.chars().map(plain));
    Some(pieces)
}

/// Remembers the last `*` and tries again from there: time is bounded by the product of both lengths.
fn run(pieces: &[Piece], text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let (mut at, mut letter) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while letter < letters.len() {
        match pieces.get(at) {
            Some(Piece::Any) => {
                star = Some((at, letter));
                at += 1;
            }
            Some(Piece::One) => {
                at += 1;
                letter += 1;
            }
            Some(Piece::Exact(wanted)) if *wanted == letters[letter] => {
                at += 1;
                letter += 1;
            }
            _ => match star {
                Some((piece, begun)) => {
                    star = Some((piece, begun + 1));
                    at = piece + 1;
                    letter = begun + 1;
                }
                None => return false,
            },
        }
    }
    pieces[at..].iter().all(|piece| *piece == Piece::Any)
}
