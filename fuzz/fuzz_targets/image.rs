//! Bytes are the image of the one item that is read from them, or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{Image, Item, View};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(item) = Item::decode(bytes) {
        assert_eq!(Image::of(&item).as_bytes(), bytes);
    }
    if let Ok(view) = View::new(bytes) {
        let _ = (view.to_item(), view.get("a").map(drop), view.same(&view));
    }
});
