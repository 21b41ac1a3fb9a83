//! What a service's model says, as static tables: operations, shapes, members, constraints.
//! The tables themselves are generated (see `api::tables`); this is their form.

use std::sync::OnceLock;

/// The wire protocols of AWS services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Json10,
    Json11,
    Query,
    /// EC2's own: forms whose names begin with capitals and whose lists are flat; no result element.
    Ec2,
    RestJson,
    RestXml,
}

#[derive(Debug)]
pub struct Service {
    /// Our name for it, which is also the module's: `dynamodb`, `logs`.
    pub name: &'static str,
    /// Its name in a signature's credential scope. DynamoDB and its streams share one.
    pub signing_name: &'static str,
    pub protocol: Protocol,
    /// The API version, as in a query form's `Version`.
    pub version: &'static str,
    /// What stands before the dot in `X-Amz-Target`; empty when the service has none.
    pub target_prefix: &'static str,
    /// JSON: the namespace before `#` in `__type`, empty for a bare name. Query: the XML namespace.
    pub namespace: &'static str,
    /// The error code under which constraint violations are told.
    pub violation_code: &'static str,
    /// Operations that are implemented, sorted by name.
    pub operations: &'static [Operation],
    /// Operations the service has and we do not, sorted by name: refused by name.
    pub refused: &'static [Refused],
    /// Error shapes, sorted by name.
    pub errors: &'static [ErrorShape],
}

impl Service {
    pub fn operation(&'static self, name: &str) -> Option<&'static Operation> {
        let at = self.operations.binary_search_by(|operation| operation.name.cmp(name)).ok()?;
        Some(&self.operations[at])
    }

    pub fn refuses(&'static self, name: &str) -> bool {
        self.refused.binary_search_by(|refused| refused.name.cmp(name)).is_ok()
    }

    pub fn error(&self, name: &str) -> Option<&ErrorShape> {
        let at = self.errors.binary_search_by(|error| error.name.cmp(name)).ok()?;
        Some(&self.errors[at])
    }
}

#[derive(Debug)]
pub struct Operation {
    pub service: &'static Service,
    pub name: &'static str,
    pub method: &'static str,
    /// The path's form: `/2015-03-31/functions/{FunctionName}`; `/` where the protocol has no paths.
    pub uri: &'static str,
    /// The status of a success.
    pub status: u16,
    pub input: Option<&'static Shape>,
    pub output: Option<&'static Shape>,
}

/// An operation that is known by name only.
#[derive(Debug)]
pub struct Refused {
    pub name: &'static str,
    pub method: &'static str,
    pub uri: &'static str,
}

#[derive(Debug)]
pub struct ErrorShape {
    pub name: &'static str,
    /// The code on the wire; for most errors their name.
    pub code: &'static str,
    pub status: u16,
    /// Whether the caller is at fault (`Sender`) or we are (`Receiver`).
    pub sender: bool,
}

#[derive(Debug)]
pub struct Shape {
    pub name: &'static str,
    pub kind: Kind,
    /// Whether its values are nobody's business: errors do not repeat them.
    pub sensitive: bool,
}

#[derive(Debug)]
pub enum Kind {
    Structure(Structure),
    List(List),
    Map(Map),
    String(Text),
    Integer(Range),
    Long(Range),
    Float(Range),
    Double(Range),
    Boolean,
    Blob(Length),
    Timestamp(TimeFormat),
    /// Any JSON.
    Document,
}

#[derive(Debug)]
pub struct Structure {
    /// In the model's order, which is the order violations are told in.
    pub members: &'static [Member],
    /// The member that is the whole body.
    pub payload: Option<&'static str>,
}

impl Structure {
    pub fn member(&self, name: &str) -> Option<&'static Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

#[derive(Debug)]
pub struct Member {
    pub name: &'static str,
    /// Its name on the wire, where that differs by protocol; else the same as `name`.
    pub wire_name: &'static str,
    pub location: Location,
    pub required: bool,
    pub shape: &'static Shape,
    /// A timestamp format of this member alone.
    pub time_format: Option<TimeFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    Body,
    Uri,
    QueryString,
    Header,
    /// A map whose entries are headers with the wire name as prefix.
    Headers,
    StatusCode,
}

#[derive(Debug)]
pub struct List {
    pub member: &'static Shape,
    /// The element's name in XML and forms: `member` unless said.
    pub member_name: &'static str,
    pub flattened: bool,
    pub length: Length,
}

#[derive(Debug)]
pub struct Map {
    pub key: &'static Shape,
    pub value: &'static Shape,
    pub key_name: &'static str,
    pub value_name: &'static str,
    pub flattened: bool,
    pub length: Length,
}

#[derive(Debug)]
pub struct Text {
    pub length: Length,
    pub pattern: Option<Pattern>,
    /// The allowed values in the order in which AWS names them; empty for a free string.
    pub one_of: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    pub min: u64,
    pub max: u64,
}

impl Length {
    pub const ANY: Length = Length { min: 0, max: u64::MAX };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub min: i64,
    pub max: i64,
}

impl Range {
    pub const ANY: Range = Range { min: i64::MIN, max: i64::MAX };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// What the protocol uses: epoch seconds in JSON bodies, ISO 8601 in XML and queries, RFC 822 in headers.
    Default,
    Epoch,
    Iso8601,
    Rfc822,
}

/// A regular expression: AWS's text for messages, and our engine's reading of it.
#[derive(Debug)]
pub struct Pattern {
    /// As AWS prints it.
    pub text: &'static str,
    /// As our engine reads it; empty when it cannot be enforced (look-ahead).
    pub regex: &'static str,
    compiled: OnceLock<Option<regex_lite::Regex>>,
}

impl Pattern {
    pub const fn new(text: &'static str, regex: &'static str) -> Pattern {
        Pattern { text, regex, compiled: OnceLock::new() }
    }

    /// Whether the whole value matches.
    pub fn matches(&self, value: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| {
            if self.regex.is_empty() {
                return None;
            }
            regex_lite::RegexBuilder::new(&format!("^(?:{})$", self.regex)).build().ok()
        });
        compiled.as_ref().is_none_or(|regex| regex.is_match(value))
    }
}
