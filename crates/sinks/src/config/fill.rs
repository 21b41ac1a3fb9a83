//! What stands for something else: `${env:NAME}`, `${file:PATH}` and `${secret:NAME}`, anywhere but in comments.

use crate::Error;
use crate::source::Secrets;

/// Where in the file a place lies.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Nothing,
    Comment,
    /// Between these quotes.
    Text(&'static str),
}

const QUOTES: [&str; 4] = ["\"\"\"", "'''", "\"", "'"];

pub fn fill(text: &str, secrets: &mut Secrets<'_>) -> Result<String, Error> {
    let mut out = String::with_capacity(text.len());
    let mut within = Within::Nothing;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if within != Within::Comment
            && let Some(after) = rest.strip_prefix("${")
        {
            let (inner, after) = after.split_once('}').ok_or_else(|| Error::config("a ${ has no }"))?;
            let told = |message: &str| Error::config(format!("${{{inner}}}: {message}"));
            out.push_str(&written(&value(inner, secrets)?, within).map_err(told)?);
            rest = after;
            continue;
        }
        let mut taken = letter.len_utf8();
        let quote = QUOTES.into_iter().find(|quote| rest.starts_with(quote));
        match (within, quote) {
            (Within::Nothing, Some(quote)) => (within, taken) = (Within::Text(quote), quote.len()),
            (Within::Nothing, None) if letter == '#' => within = Within::Comment,
            (Within::Comment, _) if letter == '\n' => within = Within::Nothing,
            (Within::Text(quote), _) if rest.starts_with(quote) => {
                (within, taken) = (Within::Nothing, quote.len());
            }
            (Within::Text(quote), _) if letter == '\\' && quote.starts_with('"') => {
                taken += rest[taken..].chars().next().map_or(0, char::len_utf8);
            }
            // A text of one line that has no end is told by who reads it.
            (Within::Text(quote), _) if letter == '\n' && quote.len() == 1 => within = Within::Nothing,
            _ => {}
        }
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    Ok(out)
}

fn value(inner: &str, secrets: &mut Secrets<'_>) -> Result<String, Error> {
    match inner.split_once(':') {
        Some(("env", name)) => {
            std::env::var(name).map_err(|_| Error::config(format!("${{{inner}}}: the variable is not set")))
        }
        Some(("file", path)) => std::fs::read_to_string(path)
            .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
            .map_err(|error| Error::config(format!("${{{inner}}}: {error}"))),
        Some(("secret", reference)) => secrets.find(reference),
        _ => Err(Error::config(format!(
            "${{{inner}}}: ${{env:NAME}}, ${{file:PATH}}, ${{secret:NAME}} or ${{secret:NAME:json_key}}"
        ))),
    }
}

/// A value as it is written where it stands.
fn written(value: &str, within: Within) -> Result<String, &'static str> {
    match within {
        Within::Text(quote) if quote.starts_with('\'') => match value.contains(['\'', '\n', '\r']) {
            true => Err("what it stands for has quotes or several lines: write it between \" and \""),
            false => Ok(value.to_owned()),
        },
        Within::Text(_) => {
            let mut text = String::with_capacity(value.len());
            for letter in value.chars() {
                match letter {
                    '\\' | '"' => text.extend(['\\', letter]),
                    letter if letter.is_control() => text.push_str(&format!("\\u{:04X}", u32::from(letter))),
                    letter => text.push(letter),
                }
            }
            Ok(text)
        }
        Within::Nothing | Within::Comment => Ok(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Endpoint;
    use world::World;

    fn filled(text: &str) -> Result<String, String> {
        let world = World::simulated(1);
        fill(text, &mut Secrets::new(&Endpoint::default(), &world)).map_err(|error| error.message)
    }

    #[test]
    fn comments_stay_as_they_are() {
        for text in [
            "# ${env:NO_SUCH}",
            "a = \"x\" # \"${env:NO_SUCH}\"\nb = 1",
            "a = 'it\\' # ${env:NO_SUCH}",
            "a = \"\\\"\" # ${env:NO_SUCH}",
            "a = \"\"\"\n\" # \"\"\" # ${env:NO_SUCH}",
        ] {
            assert_eq!(filled(text).as_deref(), Ok(text));
        }
        for text in ["a = \"# ${env:NO_SUCH}\"", "a = '''\n# ${env:NO_SUCH}'''", "# x\na = ${env:NO_SUCH}"] {
            assert!(
                filled(text).is_err_and(|told| told.contains("NO_SUCH}: the variable is not set")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_value_is_written_as_its_place_wants_it() {
        let value = "a\\b\"c\nd";
        assert_eq!(written(value, Within::Text("\"")).as_deref(), Ok("a\\\\b\\\"c\\u000Ad"));
        assert_eq!(written("a\\b\"c", Within::Text("'")).as_deref(), Ok("a\\b\"c"));
        assert!(written("it's", Within::Text("'")).is_err());
        assert_eq!(written("7", Within::Nothing).as_deref(), Ok("7"));
    }
}
