//! Named parameters: `:name`, found where it is one, and put into the database's own spelling.

use sql::Dialect;

/// A statement with its parameters in the database's spelling, and their names in the order of their values.
#[derive(Debug, PartialEq)]
pub(super) struct Statement {
    pub sql: String,
    pub names: Vec<String>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Fault {
    /// More than one statement.
    Many,
}

/// `spell` says how the parameter of this name is written, given the database's own placeholder for it.
pub(super) fn rewrite(
    sql: &str,
    dialect: Dialect,
    is_known: impl Fn(&str) -> bool,
    spell: impl Fn(&str, String) -> String,
) -> Result<Statement, Fault> {
    let bytes = sql.as_bytes();
    let mut out = String::with_capacity(sql.len());
    let mut names: Vec<String> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let skipped = skip(sql, at, dialect);
        if skipped > at {
            out.push_str(&sql[at..skipped]);
            at = skipped;
            continue;
        }
        let byte = bytes[at];
        if byte == b';' {
            if has_more(sql, at + 1, dialect) {
                return Err(Fault::Many);
            }
            break;
        }
        // A cast, or MySQL's assignment, is no parameter.
        if byte == b':' && matches!(bytes.get(at + 1), Some(b':' | b'=')) {
            out.push_str(&sql[at..at + 2]);
            at += 2;
            continue;
        }
        let name = if byte == b':' { name_at(sql, at + 1) } else { "" };
        if name.is_empty() || !is_known(name) {
            let letter = sql[at..].chars().next().unwrap_or(' ');
            out.push(letter);
            at += letter.len_utf8();
            continue;
        }
        let known = names.iter().position(|known| known == name).filter(|_| dialect == Dialect::Postgres);
        let number = known.unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        out.push_str(&spell(name, dialect.parameter(number + 1)));
        at += 1 + name.len();
    }
    Ok(Statement { sql: out, names })
}

fn name_at(sql: &str, at: usize) -> &str {
    let rest = &sql[at..];
    if !rest.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        return "";
    }
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    &rest[..end.unwrap_or(rest.len())]
}

/// Whether anything but space and comments follows.
fn has_more(sql: &str, mut at: usize, dialect: Dialect) -> bool {
    let bytes = sql.as_bytes();
    while at < bytes.len() {
        let after = comment(sql, at, dialect);
        if after > at {
            at = after;
        } else if bytes[at].is_ascii_whitespace() || bytes[at] == b';' {
            at += 1;
        } else {
            return true;
        }
    }
    false
}

/// The end of the text, quoted name or comment that begins here; here, when none does.
fn skip(sql: &str, at: usize, dialect: Dialect) -> usize {
    let bytes = sql.as_bytes();
    match bytes[at] {
        b'\'' => {
            // PostgreSQL knows backslashes in E'…' alone, MySQL everywhere.
            let marked =
                at > 0 && matches!(bytes[at - 1], b'e' | b'E') && !(at > 1 && is_word(bytes[at - 2]));
            quoted(bytes, at, dialect == Dialect::Mysql || marked)
        }
        b'"' => quoted(bytes, at, dialect == Dialect::Mysql),
        b'`' if dialect == Dialect::Mysql => quoted(bytes, at, false),
        b'$' if dialect == Dialect::Postgres && !(at > 0 && is_word(bytes[at - 1])) => dollars(sql, at),
        _ => comment(sql, at, dialect),
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn quoted(bytes: &[u8], start: usize, escapes: bool) -> usize {
    let quote = bytes[start];
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes => at += 2,
            byte if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `$tag$ … $tag$`.
fn dollars(sql: &str, at: usize) -> usize {
    let rest = &sql[at + 1..];
    let Some(end) = rest.find('$') else { return at };
    let tag = &rest[..end];
    let is_tag = !tag.starts_with(|first: char| first.is_ascii_digit()) && tag.bytes().all(is_word);
    if !is_tag {
        return at;
    }
    let fence = &sql[at..at + end + 2];
    let inner = at + fence.len();
    sql[inner..].find(fence).map_or(sql.len(), |length| inner + length + fence.len())
}

fn comment(sql: &str, at: usize, dialect: Dialect) -> usize {
    let rest = &sql.as_bytes()[at..];
    let line_end = || sql[at..].find('\n').map_or(sql.len(), |length| at + length);
    match rest {
        [b'-', b'-', ..] => line_end(),
        [b'#', ..] if dialect == Dialect::Mysql => line_end(),
        [b'/', b'*', ..] => {
            let mut depth = 0;
            let mut at = at;
            while let Some(two) = sql.as_bytes().get(at..at + 2) {
                match two {
                    b"/*" if depth == 0 || dialect == Dialect::Postgres => (depth, at) = (depth + 1, at + 2),
                    b"*/" => (depth, at) = (depth - 1, at + 2),
                    _ => at += 1,
                }
                if depth == 0 {
                    return at;
                }
            }
            sql.len()
        }
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dialect: Dialect, sql: &str, expected: &str, names: &[&str]) {
        let found = rewrite(sql, dialect, |name| ["a", "b", "id"].contains(&name), |_, place| place);
        let found = found.unwrap_or_else(|_| panic!("{sql}"));
        assert_eq!(
            (found.sql.as_str(), found.names),
            (expected, names.iter().map(|n| (*n).to_owned()).collect())
        );
    }

    #[test]
    fn names_become_places() {
        let (pg, my) = (Dialect::Postgres, Dialect::Mysql);
        check(pg, "SELECT :a, :b + :a;  ", "SELECT $1, $2 + $1", &["a", "b"]);
        check(my, "SELECT :a, :b + :a", "SELECT ?, ? + ?", &["a", "b", "a"]);
        check(pg, "SELECT x::a, ':a', \":a\", :id::int", "SELECT x::a, ':a', \":a\", $1::int", &["id"]);
        check(
            pg,
            "SELECT 1 -- :a\n, :b /* :a /* :a */ :a */",
            "SELECT 1 -- :a\n, $1 /* :a /* :a */ :a */",
            &["b"],
        );
        check(pg, "SELECT E'\\':a', '\\', :a", "SELECT E'\\':a', '\\', $1", &["a"]);
        check(
            my,
            "SELECT '\\':a', `:a`, \":a\" # :a\n, @x := :a",
            "SELECT '\\':a', `:a`, \":a\" # :a\n, @x := ?",
            &["a"],
        );
        check(pg, "DO $x$ :a; $$ :b $x$", "DO $x$ :a; $$ :b $x$", &[]);
        check(pg, "SELECT arr[1:2], :c, :a1, '☂:a' || :a", "SELECT arr[1:2], :c, :a1, '☂:a' || $1", &["a"]);
        check(my, "SELECT 'it''s :a', :a", "SELECT 'it''s :a', ?", &["a"]);
        check(pg, "SELECT 'open :a", "SELECT 'open :a", &[]);
    }

    #[test]
    fn two_statements_are_too_many() {
        let of = |sql: &str| rewrite(sql, Dialect::Postgres, |_| true, |_, place| place);
        assert_eq!(of("SELECT 1; SELECT 2"), Err(Fault::Many));
        assert!(of("SELECT ';'; -- more\n ; /* ; */").is_ok());
    }
}
