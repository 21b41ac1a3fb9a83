//! Regular expressions of the models, as our engine reads them.

/// AWS's (Java) regular expression as our engine reads it. Look-around is dropped, which allows more; what still does not
/// compile is not enforced.
pub fn our_regex(pattern: &str) -> String {
    let mut text = without_lookaround(pattern);
    // Java's two spellings of the code points beyond the basic plane.
    for beyond in ["\\u10000-\\u10FFFF", "\\uD800\\uDC00-\\uDBFF\\uDFFF"] {
        text = text.replace(beyond, "\\x{10000}-\\x{10FFFF}");
    }
    text = text.replace("\\p{Print}", "[ -~]");
    while let Some(at) = text.find("\\u") {
        let Some(digits) = text.get(at + 2..at + 6) else { return String::new() };
        let scalar = format!("\\x{{{digits}}}");
        text.replace_range(at..at + 6, &scalar);
    }
    // Letters, spaces and digits of every script: the engine has no Unicode tables, so all beyond ASCII counts as letters.
    for (class, ranges) in [
        ("\\p{IsAlphabetic}", "a-zA-Z\\x{80}-\\x{10FFFF}"),
        ("\\p{L}", "a-zA-Z\\x{80}-\\x{10FFFF}"),
        ("\\p{Z}", " "),
        ("\\p{N}", "0-9"),
    ] {
        text = text.replace(class, ranges);
    }
    match regex_lite::Regex::new(&format!("^(?:{text})$")) {
        Ok(_) => text,
        Err(_) => String::new(),
    }
}

fn without_lookaround(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(at) = ["(?!", "(?=", "(?<!", "(?<="].iter().filter_map(|open| rest.find(open)).min() {
        out.push_str(&rest[..at]);
        let mut depth = 0usize;
        let mut escaped = false;
        let end = rest[at..].char_indices().find_map(|(offset, c)| {
            match c {
                _ if escaped => {
                    escaped = false;
                    return None;
                }
                '\\' => escaped = true,
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            (depth == 0 && c == ')').then_some(at + offset + 1)
        });
        rest = end.map_or("", |end| &rest[end..]);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_javas_expressions() {
        for (java, ours) in [
            ("[a-zA-Z0-9_.-]+", "[a-zA-Z0-9_.-]+"),
            ("[\\u0009\\u0020-\\u00FF]+", "[\\x{0009}\\x{0020}-\\x{00FF}]+"),
            ("(?!^[0-9]+$)([a-z]+)", "([a-z]+)"),
            ("a(b(?<!\\))c)", "a(bc)"),
            ("[\\p{L}\\p{Z}]*", "[a-zA-Z\\x{80}-\\x{10FFFF} ]*"),
            ("(", ""),
        ] {
            assert_eq!(our_regex(java), ours);
        }
    }
}
