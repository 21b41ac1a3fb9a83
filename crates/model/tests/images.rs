//! Encoded items.

use crate::notation::item;
use crate::random::Random;
use model::{CorruptImage, DEPTH_MAX, Image, Item, Value, ValueView, View, image};

#[test]
fn an_image_is_its_item() {
    let mut random = Random::new(5);
    let mut before: Option<(Item, Vec<u8>)> = None;
    for _ in 0..5_000 {
        let item = random.item(3);
        let bytes = Image::of(&item).into_bytes();
        assert_eq!(Item::decode(&bytes), Ok(item.clone()));

        let view = View::new(&bytes).unwrap();
        assert_eq!(view.size_bytes(), item.size_bytes());
        assert_eq!(view.len(), item.len());
        assert_eq!(view.is_empty(), item.is_empty());
        assert_eq!(view.same(&item.view()), Ok(true));
        assert_eq!(item.view().same(&view), Ok(true));
        for (name, value) in item.iter() {
            let found = view.get(name).unwrap().expect("an attribute");
            assert_eq!(found.to_value().as_ref(), Ok(value));
            assert_eq!(found.kind(), value.kind());
            assert_eq!(found.size_bytes(), Ok(value.size_bytes()));
            assert_eq!(value.view().size_bytes(), Ok(value.size_bytes()));
        }
        let names: Vec<&str> = view.iter().map(|attribute| attribute.unwrap().0).collect();
        assert_eq!(names, item.names().collect::<Vec<_>>());
        assert!(view.get("no such name").unwrap().is_none());

        // Written again from the image itself.
        let mut again = Vec::new();
        let mut writer = image::Writer::new(&mut again);
        for attribute in view.iter() {
            let (name, value) = attribute.unwrap();
            writer.attribute(name, value).unwrap();
        }
        writer.finish();
        assert_eq!(again, bytes);

        if let Some((other, theirs)) = &before {
            assert_eq!(*other == item, *theirs == bytes);
            assert_eq!(View::new(theirs).unwrap().same(&view), Ok(*other == item));
        }
        before = Some((item, bytes));
    }
}

/// What the documented layout of version 1 is, byte by byte. Stored items depend on it.
#[test]
fn version_1() {
    let everything = item(
        "{b: b'xy', f: false, l: [1, 'a'], m: {k: null}, n: -1.5, ns: <2, 100>, s: 'héllo', ss: <'p', 'q'>, t: true}",
    );
    #[rustfmt::skip]
    let bytes = [
        1, 45, 0, 0, 0,
        1, b'b', 3, 2, b'x', b'y',
        1, b'f', 4,
        1, b'l', 7, 7, 0, 0, 0, 2, 2, 193, 2, 1, 1, b'a',
        1, b'm', 8, 3, 0, 0, 0, 1, b'k', 6,
        1, b'n', 2, 4, 62, 100, 51, 102,
        2, b'n', b's', 10, 6, 0, 0, 0, 2, 193, 3, 2, 194, 2,
        1, b's', 1, 6, b'h', 0xc3, 0xa9, b'l', b'l', b'o',
        2, b's', b's', 9, 4, 0, 0, 0, 1, b'p', 1, b'q',
        1, b't', 5,
    ];
    assert_eq!(Image::of(&everything).as_bytes(), bytes);
    assert_eq!(Item::decode(&bytes), Ok(everything));
    assert_eq!(Image::of(&Item::new()).as_bytes(), [1, 0, 0, 0, 0]);
}

/// The sizes that the service itself has been seen to count.
#[test]
fn sizes() {
    for (text, expect) in [
        ("{Username: 'Fred'}", 12),
        ("{id: 'Fred'}", 6),
        ("{id: 'my-item-id'}", 12),
        ("{id: 'my-item-id', attr1: 'value1', attr2: 'value2'}", 34),
        ("{my_partition_key: 'hello world'}", 27),
        ("{my_partition_key: 'hello world', binary_key: b'binary'}", 43),
        ("{id: '1', name: 'hello world'}", 18),
        ("{a: []}", 4),
        ("{a: {}}", 4),
        ("{a: [1]}", 7),
        ("{a: {b: 1}}", 8),
        ("{a: true, b: null}", 4),
        ("{a: <'x', 'yz'>}", 4),
        ("{a: <1, 100>}", 5),
    ] {
        assert_eq!(item(text).size_bytes(), expect, "{text}");
    }
}

#[test]
fn damage_is_an_error() {
    let mut random = Random::new(6);
    let mut refused = 0;
    for _ in 0..5_000 {
        let item = random.item(3);
        let mut bytes = Image::of(&item).into_bytes();
        match random.below(4) {
            0 => bytes.truncate(random.below(bytes.len())),
            1 => bytes.push(random.next() as u8),
            _ => {
                let at = random.below(bytes.len());
                bytes[at] = random.pick(&[0, 1, 7, 8, 9, 127, 128, 255]);
            }
        }
        walk(&bytes);
        match Item::decode(&bytes) {
            // Whatever is read is the one item that has this image.
            Ok(read) => assert_eq!(Image::of(&read).as_bytes(), bytes),
            Err(CorruptImage) => refused += 1,
        }
    }
    assert!(refused > 2_000, "{refused}");
}

#[test]
fn non_canonical_images_are_refused() {
    for bytes in [
        &[][..],
        &[1, 0, 0, 0],
        &[0, 0, 0, 0, 0],
        &[2, 0, 0, 0, 0],
        // A size that is not the item's.
        &[1, 1, 0, 0, 0],
        // Names out of order, and the same twice.
        &[1, 4, 0, 0, 0, 1, b'b', 6, 1, b'a', 6],
        &[1, 4, 0, 0, 0, 1, b'a', 6, 1, b'a', 6],
        // A length written longer than need be.
        &[1, 2, 0, 0, 0, 0x81, 0, b'a', 6],
        // An empty set, and one out of order.
        &[1, 1, 0, 0, 0, 1, b'a', 9, 0, 0, 0, 0],
        &[1, 3, 0, 0, 0, 1, b'a', 9, 4, 0, 0, 0, 1, b'y', 1, b'x'],
        // Not UTF-8.
        &[1, 2, 0, 0, 0, 1, b'a', 1, 1, 0xff],
        // No such tag.
        &[1, 2, 0, 0, 0, 1, b'a', 12],
        // A length beyond the end.
        &[1, 9, 0, 0, 0, 1, b'a', 3, 255, 255, 255, 255, 15],
    ] {
        assert_eq!(Item::decode(bytes), Err(CorruptImage), "{bytes:?}");
        walk(bytes);
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| (0..levels).fold(Value::Null, |value, _| Value::L(vec![value]));
    let deepest = Item::from_iter([("a", nested(DEPTH_MAX))]);
    assert_eq!(deepest.depth(), DEPTH_MAX);
    assert_eq!(Item::decode(Image::of(&deepest).as_bytes()), Ok(deepest));
    // A damaged image that goes on and on ends in an error, not in the end of the stack.
    let mut bytes = vec![1, 0, 0, 0, 0, 1, b'a'];
    for level in (0..100_000u32).rev() {
        bytes.push(7);
        bytes.extend_from_slice(&(level * 5).to_le_bytes());
    }
    assert_eq!(Item::decode(&bytes), Err(CorruptImage));
    walk(&bytes);
}

/// Reads all that can be read of a damaged image.
pub fn walk(bytes: &[u8]) {
    fn step(value: ValueView<'_>) {
        let _ = (value.size_bytes(), value.to_value(), value.same(&value), value.compare(&value));
        match value {
            ValueView::L(list) => {
                let _ = (list.len(), list.get(1).map(drop));
                list.iter().flatten().for_each(step);
            }
            ValueView::M(map) => map.iter().flatten().for_each(|(_, value)| step(value)),
            ValueView::Ss(set) | ValueView::Ns(set) | ValueView::Bs(set) => {
                let _ = set.len();
                set.iter().flatten().for_each(step);
            }
            _ => {}
        }
    }
    if let Ok(view) = View::new(bytes) {
        let _ = (view.size_bytes(), view.len(), view.get("a").map(drop));
        // Measuring and comparing walk everything below a value: near the top is enough.
        view.iter().take(4).flatten().for_each(|(_, value)| step(value));
    }
}
