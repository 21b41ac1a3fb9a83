//! What the operator decides about all services.

use std::path::PathBuf;
use std::sync::Arc;

/// How much is asked of a caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// A signature in good form, by any key.
    #[default]
    Lenient,
    /// The signature of a known key. It may do everything.
    Verify,
    /// The same, and policies decide what it may do.
    Enforce,
}

impl std::str::FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> Result<Mode, ()> {
        match text {
            "lenient" => Ok(Mode::Lenient),
            "verify" => Ok(Mode::Verify),
            "enforce" => Ok(Mode::Enforce),
            _ => Err(()),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// The account every caller belongs to.
    pub account: Arc<str>,
    /// The region of calls that name none.
    pub region: Arc<str>,
    /// How much is asked of a caller.
    pub auth: Mode,
    /// The account's own access key and its secret.
    pub root_key: Option<(String, String)>,
    /// Where objects' bytes lie; none for a directory that goes with the server.
    pub objects: Option<PathBuf>,
    /// Pages in browsers that may call the services, as their origins; `*` for any.
    pub allow_origins: Vec<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            account: "123456789012".into(),
            region: "us-east-1".into(),
            auth: Mode::Lenient,
            root_key: None,
            objects: None,
            allow_origins: Vec::new(),
        }
    }
}
