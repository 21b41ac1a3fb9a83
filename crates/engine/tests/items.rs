use crate::support::*;
use engine::{Action, ErrorKind, KeyPart, KeySchema, ProjectionKind, Transacted, Write};
use model::key::KeyType;
use model::{Item, Value};

#[test]
fn puts_replace_and_tell_what_was() {
    everywhere(|house| {
        let table = house.create(spec("T", true, None));
        let first = item([("a", n(1)), ("at", s("1")), ("id", s("x"))]);
        let second = item([("at", s("1")), ("b", n(2)), ("id", s("x"))]);
        let done = house.put(&table, first.clone());
        assert_eq!(
            (done.old, done.new.as_ref().map(decode), done.changed),
            (None, Some(first.clone()), true)
        );
        let done = house.put(&table, second.clone());
        assert_eq!(done.old.as_ref().map(decode), Some(first));
        assert_eq!(house.get(&table, id_at("x", "1")), Some(second.clone()));
        assert!(!house.put(&table, second.clone()).changed);
        house.restart();
        let table = house.table("T");
        assert_eq!(house.get(&table, id_at("x", "1")), Some(second.clone()));
        assert_eq!(house.delete(&table, id_at("x", "1")).old.as_ref().map(decode), Some(second));
        let done = house.delete(&table, id_at("x", "1"));
        assert_eq!((done.old, done.changed), (None, false));
        assert_eq!(house.get(&table, id_at("x", "1")), None);
    });
}

#[test]
fn updates_create_change_and_leave_alone() {
    let house = House::in_memory();
    let table = house.create(spec("T", false, None));
    let one: &[_] = &[(":one", n(1))];
    house.update(&table, id("a"), "ADD hits :one", one);
    let done = house.update(&table, id("a"), "ADD hits :one", one);
    assert_eq!(done.new.as_ref().map(decode), Some(item([("hits", n(2)), ("id", s("a"))])));
    // What only takes away makes nothing.
    let done = house.update(&table, id("b"), "REMOVE hits", &[]);
    assert_eq!((done.changed, done.new), (false, None));
    // What sets the same value changes nothing.
    assert!(!house.update(&table, id("a"), "SET hits = :two", &[(":two", n(2))]).changed);
    // Without an expression the item is made to exist.
    let key = table.key(id("c").view()).unwrap();
    let bare = || Write { action: Action::Update { key: key.clone(), update: None }, condition: None };
    assert!(house.try_write(&table, bare()).unwrap().changed);
    assert!(!house.try_write(&table, bare()).unwrap().changed);
    assert_eq!(house.get(&table, id("c")), Some(id("c")));
    refuses(
        house.try_write(&table, update(&table, id("a"), "SET id = :one", one)),
        ErrorKind::Validation,
        "One or more parameter values were invalid: Cannot update attribute id. This attribute is part of the key",
    );
}

#[test]
fn conditions_decide_and_failures_show_the_item() {
    let house = House::in_memory();
    let table = house.create(spec("T", false, None));
    house.put(&table, item([("id", s("a")), ("v", n(1))]));
    let again = when(put(item([("id", s("a")), ("v", n(9))])), "attribute_not_exists(id)", &[]);
    let refused = house.try_write(&table, again).unwrap_err();
    let ErrorKind::ConditionFailed { item: Some(image) } = refused.error.kind else { panic!() };
    assert_eq!(decode(&image), item([("id", s("a")), ("v", n(1))]));
    let absent = when(delete(&table, id("b")), "attribute_exists(id)", &[]);
    let refused = house.try_write(&table, absent).unwrap_err();
    assert_eq!(refused.error.kind, ErrorKind::ConditionFailed { item: None });
    let right = when(delete(&table, id("a")), "v = :v", &[(":v", n(1))]);
    assert!(house.try_write(&table, right).unwrap().changed);
}

#[test]
fn keys_are_checked() {
    let house = House::in_memory();
    let table = house.create(spec("T", true, None));
    let check = |wrong: Item, message: &str| {
        refuses(house.try_write(&table, put(wrong)), ErrorKind::Validation, message);
    };
    check(id("a"), "One or more parameter values were invalid: Missing the key at in the item");
    check(
        item([("at", n(1)), ("id", s("a"))]),
        "One or more parameter values were invalid: Type mismatch for key at expected: S actual: N",
    );
    check(
        id_at("", "1"),
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: id",
    );
    check(
        id_at(&"x".repeat(2049), "1"),
        "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes",
    );
    check(
        id_at("x", &"1".repeat(1025)),
        "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
    );
    house.put(&table, id_at(&"x".repeat(2048), &"1".repeat(1024)));
    for wrong in
        [id("a"), item([("at", n(1)), ("id", s("a"))]), item([("at", s("1")), ("id", s("a")), ("x", n(1))])]
    {
        refuses(
            table.key(wrong.view()),
            ErrorKind::Validation,
            "The provided key element does not match the schema",
        );
    }
}

#[test]
fn items_have_a_largest_size() {
    let house = House::in_memory();
    let table = house.create(spec("T", false, None));
    // `id`, `a`, `x` and the text.
    let sized = |bytes: usize| item([("id", s("a")), ("x", s(&"x".repeat(bytes - 4)))]);
    refuses(
        house.try_write(&table, put(sized(400 * 1024 + 1))),
        ErrorKind::ItemTooLarge,
        "Item size has exceeded the maximum allowed size",
    );
    house.put(&table, sized(400 * 1024));
    refuses(
        house.try_write(&table, update(&table, id("a"), "SET y = :y", &[(":y", n(1))])),
        ErrorKind::ItemTooLarge,
        "Item size to update has exceeded the maximum allowed size",
    );
}

#[test]
fn numbers_and_binaries_are_keys_too() {
    let house = House::in_memory();
    let mut wanted = spec("T", false, None);
    let (hash, range) = (KeyPart::new("id", KeyType::N), KeyPart::new("at", KeyType::B));
    wanted.attributes = vec![hash.clone(), range.clone()];
    wanted.key = KeySchema::simple(hash, Some(range));
    let table = house.create(wanted);
    let key = |number: &str, bytes: &[u8]| item([("at", Value::B(bytes.to_vec())), ("id", n(number))]);
    house.put(&table, key("1.0", &[0, 255]));
    // Equal numbers are the same key, however they are written.
    assert!(house.get(&table, key("1", &[0, 255])).is_some());
    assert!(house.get(&table, key("1", &[0])).is_none());
}

#[test]
fn index_keys_have_their_types() {
    let house = House::in_memory();
    let mut wanted = spec("T", false, None);
    let who = KeyPart::new("who", KeyType::S);
    wanted.attributes.push(who.clone());
    wanted.global = vec![index("by-who", who, None, ProjectionKind::All)];
    let table = house.create(wanted);
    refuses(
        house.try_write(&table, put(item([("id", s("a")), ("who", n(1))]))),
        ErrorKind::Validation,
        "One or more parameter values were invalid: Type mismatch for Index Key who Expected: S Actual: N IndexName: by-who",
    );
    refuses(
        house.try_write(&table, put(item([("id", s("a")), ("who", s(""))]))),
        ErrorKind::Validation,
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: by-who, IndexKey: who",
    );
    refuses(
        house.try_write(&table, update(&table, id("a"), "SET who = :n", &[(":n", n(1))])),
        ErrorKind::Validation,
        "One or more parameter values were invalid: Type mismatch for Index Key who Expected: S Actual: N IndexName: by-who",
    );
    // What only the item tells is told otherwise.
    house.put(&table, item([("id", s("a")), ("age", n(1))]));
    refuses(
        house.try_write(&table, update(&table, id("a"), "SET who = age", &[])),
        ErrorKind::Validation,
        "The update expression attempted to update the secondary index key to unsupported type",
    );
    house.put(&table, id("a"));
}

#[test]
fn batches_and_transactions_are_one_commit() {
    everywhere(|house| {
        let one = house.create(spec("One", false, None));
        let two = house.create(spec("Two", true, None));
        let batch = vec![
            (one.clone(), put(id("a"))),
            (two.clone(), put(id_at("b", "1"))),
            (one.clone(), delete(&one, id("c"))),
        ];
        let done = house.engine().write_batch(batch).unwrap();
        assert_eq!(done.writes.iter().map(|write| write.changed).collect::<Vec<_>>(), [true, true, false]);
        done.commit.wait().unwrap();
        assert!(house.get(&one, id("a")).is_some() && house.get(&two, id_at("b", "1")).is_some());
        refuses(
            house
                .engine()
                .write_batch(vec![(one.clone(), put(id("a"))), (one.clone(), delete(&one, id("a")))]),
            ErrorKind::Validation,
            "Provided list of item keys contains duplicates",
        );

        let check =
            Write { action: Action::Check(two.key(id_at("b", "1").view()).unwrap()), condition: None };
        let failing = vec![
            (one.clone(), put(id("d"))),
            (two.clone(), when(check.clone(), "attribute_not_exists(id)", &[])),
            (one.clone(), delete(&one, id("a"))),
        ];
        let refused = house.engine().transact_write(failing, None).unwrap_err();
        refused.after.wait().unwrap();
        assert_eq!(refused.error.kind, ErrorKind::TransactionCancelled);
        let reasons: Vec<_> = refused.reasons.iter().map(Option::is_some).collect();
        assert_eq!(reasons, [false, true, false]);
        assert!(house.get(&one, id("d")).is_none() && house.get(&one, id("a")).is_some());

        let passing = vec![
            (one.clone(), put(id("d"))),
            (two.clone(), when(check, "attribute_exists(id)", &[])),
            (one.clone(), delete(&one, id("a"))),
        ];
        let Transacted::Now(done) = house.engine().transact_write(passing, None).unwrap() else {
            panic!("once")
        };
        done.commit.wait().unwrap();
        assert_eq!(done.writes[0].consumed.table, 2.0);
        assert!(house.get(&one, id("d")).is_some() && house.get(&one, id("a")).is_none());
    });
}
