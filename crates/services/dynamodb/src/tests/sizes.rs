//! What an answer's box may weigh: it is made and filled anew for every request, so that a large one is a slow one.

use crate::{Dynamodb, delete_item, put_item, update_item};
use servicekit::call::Call;

/// What a connection's task and the box around an answer add lies beside this.
const BYTES_MAX: usize = 2_048;

#[test]
fn the_busiest_writes_lie_in_small_boxes() {
    fn bytes_of<F>(_: impl Fn(&'static Dynamodb, &'static Call) -> F) -> usize {
        size_of::<F>()
    }
    for (operation, bytes) in [
        ("PutItem", bytes_of(put_item::put_item)),
        ("UpdateItem", bytes_of(update_item::update_item)),
        ("DeleteItem", bytes_of(delete_item::delete_item)),
        ("a call", size_of::<Call>()),
    ] {
        assert!(bytes <= BYTES_MAX, "{operation}: {bytes} bytes");
    }
}
