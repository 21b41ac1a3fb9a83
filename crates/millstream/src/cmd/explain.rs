//! `millstream explain CODE`: the page of an error.

use super::Failure;
use std::ffi::OsString;

const PAGES: [(&str, &str); 15] = [
    ("E0001", include_str!("../../../../docs/errors/E0001.md")),
    ("E0002", include_str!("../../../../docs/errors/E0002.md")),
    ("E0003", include_str!("../../../../docs/errors/E0003.md")),
    ("E0004", include_str!("../../../../docs/errors/E0004.md")),
    ("E0005", include_str!("../../../../docs/errors/E0005.md")),
    ("E0006", include_str!("../../../../docs/errors/E0006.md")),
    ("E0007", include_str!("../../../../docs/errors/E0007.md")),
    ("E0008", include_str!("../../../../docs/errors/E0008.md")),
    ("E0009", include_str!("../../../../docs/errors/E0009.md")),
    ("E0020", include_str!("../../../../docs/errors/E0020.md")),
    ("E0021", include_str!("../../../../docs/errors/E0021.md")),
    ("E0022", include_str!("../../../../docs/errors/E0022.md")),
    ("E0023", include_str!("../../../../docs/errors/E0023.md")),
    ("E0024", include_str!("../../../../docs/errors/E0024.md")),
    ("E0025", include_str!("../../../../docs/errors/E0025.md")),
];

pub fn run(typed: Vec<OsString>) -> Result<(), Failure> {
    let codes: Vec<_> = PAGES.iter().map(|(code, _)| *code).collect();
    let [wanted] = typed.as_slice() else {
        return Err(Failure::Usage(format!("explain takes one code: {}", codes.join(", "))));
    };
    let wanted = wanted.to_string_lossy().to_uppercase();
    match PAGES.iter().find(|(code, _)| *code == wanted) {
        Some((_, page)) => {
            tell!("{}", page.trim_end_matches('\n'));
            Ok(())
        }
        None => Err(Failure::Usage(format!("there is no {wanted}; there are {}", codes.join(", ")))),
    }
}
