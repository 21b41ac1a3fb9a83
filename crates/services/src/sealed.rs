//! What a key file is needed for.

/// Whether anything that is kept here was sealed: then it takes its key to open it.
pub fn has_sealed(store: &store::Store) -> Result<bool, String> {
    let any = crate::secrets::has_sealed(store)
        .and_then(|any| if any { Ok(any) } else { crate::parameters::has_sealed(store) })
        .and_then(|any| if any { Ok(any) } else { crate::kms::has_sealed(store) });
    any.map_err(|error| error.to_string())
}
