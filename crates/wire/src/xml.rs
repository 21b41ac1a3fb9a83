//! Small XML documents that clients send: read into a tree. Namespaces and attributes are passed over; document types are
//! refused, so that no entity can be declared.

/// Elements inside elements at most.
const DEPTH_MAX: usize = 32;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Without its namespace prefix.
    pub name: String,
    /// The text directly inside, pieced together.
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    pub fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// The document's root; none where it is not well formed.
pub fn parse(bytes: &[u8]) -> Option<Element> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader { rest: text.strip_prefix('\u{feff}').unwrap_or(text) };
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    while !reader.rest.is_empty() {
        match reader.next()? {
            Token::Skip => {}
            Token::Text(text) => match open.last_mut() {
                Some(element) => element.text.push_str(&text),
                None if text.trim().is_empty() => {}
                None => return None,
            },
            Token::Open { name, closed } => {
                if open.len() >= DEPTH_MAX || (open.is_empty() && root.is_some()) {
                    return None;
                }
                open.push(Element { name: local(name).to_owned(), ..Element::default() });
                if closed {
                    close(&mut open, &mut root)?;
                }
            }
            Token::Close(name) => {
                if open.last()?.name != local(name) {
                    return None;
                }
                close(&mut open, &mut root)?;
            }
        }
    }
    root.filter(|_| open.is_empty())
}

fn close(open: &mut Vec<Element>, root: &mut Option<Element>) -> Option<()> {
    let element = open.pop()?;
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
    Some(())
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

enum Token<'a> {
    Open { name: &'a str, closed: bool },
    Close(&'a str),
    Text(String),
    Skip,
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        if self.rest.starts_with("<!--") {
            self.until("-->")?;
            return Some(Token::Skip);
        }
        if let Some(rest) = self.rest.strip_prefix("<![CDATA[") {
            self.rest = rest;
            return Some(Token::Text(self.until("]]>")?.to_owned()));
        }
        if self.rest.starts_with("<?") {
            self.until("?>")?;
            return Some(Token::Skip);
        }
        if self.rest.starts_with("<!") {
            return None;
        }
        if let Some(rest) = self.rest.strip_prefix("</") {
            self.rest = rest;
            return Some(Token::Close(self.until(">")?.trim_end()));
        }
        if let Some(rest) = self.rest.strip_prefix('<') {
            self.rest = rest;
            return self.tag();
        }
        let end = self.rest.find('<').unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(Token::Text(unescape(text)?))
    }

    /// What stands before the mark; goes on after it.
    fn until(&mut self, mark: &str) -> Option<&'a str> {
        let (before, after) = self.rest.split_once(mark)?;
        self.rest = after;
        Some(before)
    }

    fn tag(&mut self) -> Option<Token<'a>> {
        let end = self.rest.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>')?;
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return None;
        }
        self.rest = rest;
        loop {
            self.rest = self.rest.trim_start();
            if let Some(rest) = self.rest.strip_prefix("/>") {
                self.rest = rest;
                return Some(Token::Open { name, closed: true });
            }
            if let Some(rest) = self.rest.strip_prefix('>') {
                self.rest = rest;
                return Some(Token::Open { name, closed: false });
            }
            let (attribute, value) = self.rest.split_once('=')?;
            if attribute.is_empty() || attribute.contains(['<', '>']) {
                return None;
            }
            let value = value.trim_start();
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            self.rest = value[1..].split_once(quote)?.1;
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, after) = after.split_once(';')?;
        out.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            entity => {
                let number = entity.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(element: &Element) -> String {
        let inside: Vec<String> = element.children.iter().map(shown).collect();
        format!("{}[{}{}]", element.name, element.text.trim(), inside.join(""))
    }

    #[test]
    fn documents_become_trees() {
        for (text, tree) in [
            ("<a/>", "a[]"),
            (
                "<?xml version='1.0'?>\n<a x=\"1>2\" y = '3'><b>t&amp;&#x41;&#66;</b><!-- no --><n:b /></a>\n",
                "a[b[t&AB]b[]]",
            ),
            ("<a>x<![CDATA[<&>]]>y</a >", "a[x<&>y]"),
        ] {
            assert_eq!(shown(&parse(text.as_bytes()).unwrap_or_else(|| panic!("{text}"))), tree);
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        for text in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
            "<a>&x;</a>",
            "<a b></a>",
            &deep,
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse(b"<a>\xff</a>"), None);
    }
}
