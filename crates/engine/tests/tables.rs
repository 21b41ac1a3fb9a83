use crate::support::*;
use engine::stream::ViewType;
use engine::{Billing, ErrorKind, Scope, StreamChange, TableChange, TableClass, TableStatus, Throughput};
use std::time::Duration;

#[test]
fn a_table_is_creating_then_active_and_survives_a_restart() {
    everywhere(|house| {
        let mut wanted = spec("T", true, Some(ViewType::KeysOnly));
        wanted.class = Some(TableClass::InfrequentAccess);
        wanted.tags = vec![("team".into(), "blue".into())];
        wanted.billing = Billing::Provisioned(Throughput { read_units: 5, write_units: 6 });
        let created = house.engine().create_table(&scope(), wanted).unwrap();
        assert_eq!(created.status, TableStatus::Creating);
        assert_eq!(created.arn, "arn:aws:dynamodb:us-east-1:123456789012:table/T");
        let stream = created.stream.clone().unwrap();
        assert_eq!(stream.arn, format!("{}/stream/{}", created.arn, stream.label));
        assert_eq!((stream.enabled, stream.view, stream.label.len()), (true, ViewType::KeysOnly, 23));

        let described = house.engine().describe_table(&house.table("T")).unwrap();
        assert_eq!(described.status, TableStatus::Active);
        house.put(&house.table("T"), id_at("a", "1"));
        let described = house.engine().describe_table(&house.table("T")).unwrap();
        // `id`, `a`, `at`, `1`.
        assert_eq!((described.items, described.bytes), (1, 6));
        house.restart();
        assert_eq!(house.engine().describe_table(&house.table("T")).unwrap(), described);
        assert_eq!(house.engine().tags(&house.table("T")), [("team".to_owned(), "blue".to_owned())]);
    });
}

#[test]
fn scopes_do_not_see_each_other_and_names_come_in_pages() {
    let house = House::in_memory();
    for name in ["Bees", "Ants", "Cats"] {
        house.create(spec(name, false, None));
    }
    let engine = house.engine();
    refuses(
        engine.create_table(&scope(), spec("Ants", false, None)),
        ErrorKind::TableExists,
        "Table already exists: Ants",
    );
    let elsewhere = Scope::new("123456789012", "eu-west-1");
    engine.create_table(&elsewhere, spec("Ants", false, None)).unwrap();
    assert_eq!(engine.list_tables(&elsewhere, None, 10).names, ["Ants".into()]);
    let first = engine.list_tables(&scope(), None, 2);
    assert_eq!((first.names, first.last), (vec!["Ants".into(), "Bees".into()], Some("Bees".into())));
    let rest = engine.list_tables(&scope(), Some("Bees"), 2);
    assert_eq!((rest.names, rest.last), (vec!["Cats".into()], None));
    let exact = engine.list_tables(&scope(), None, 3);
    assert_eq!((exact.names.len(), exact.last), (3, None));
}

#[test]
fn a_deleted_table_is_gone_and_its_namesake_begins_empty() {
    everywhere(|house| {
        let table = house.create(spec("T", false, None));
        house.put(&table, id("a"));
        let key = table.key(id("a").view()).unwrap();
        assert_eq!(house.engine().delete_table(&scope(), "T").unwrap().status, TableStatus::Deleting);
        refuses(
            house.engine().table(&scope(), "T"),
            ErrorKind::TableNotFound,
            "Requested resource not found: Table: T not found",
        );
        // Those who still hold the old table are told.
        assert_eq!(house.try_write(&table, put(id("b"))).unwrap_err().error.kind, ErrorKind::TableNotFound);
        let again = house.create(spec("T", false, None));
        assert_eq!(house.get(&again, id("a")), None);
        assert_eq!(house.engine().describe_table(&again).unwrap().items, 0);
        let stale = engine::Write { action: engine::Action::Delete(key), condition: None };
        assert_eq!(house.try_write(&again, stale).unwrap_err().error.kind, ErrorKind::TableNotFound);

        // Its items go, whether the process lives to see it or not.
        house.restart();
        house.engine().maintain().unwrap();
        let snapshot = house.engine().store().snapshot();
        let rows = snapshot.range(store::Space::Items, &[0], &[255], store::Order::Forward);
        assert_eq!(rows.count(), 0);
        let notes =
            snapshot.range(store::Space::Meta, b"engine/trim/", b"engine/trim0", store::Order::Forward);
        assert_eq!(notes.count(), 0);
    });
}

#[test]
fn deletion_protection_protects() {
    let house = House::in_memory();
    let mut wanted = spec("T", false, None);
    wanted.deletion_protection = true;
    house.create(wanted);
    refuses(
        house.engine().delete_table(&scope(), "T"),
        ErrorKind::Validation,
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
    );
    let change = TableChange { deletion_protection: Some(false), ..TableChange::default() };
    assert!(!house.engine().update_table(&scope(), "T", change).unwrap().deletion_protection);
    house.engine().delete_table(&scope(), "T").unwrap();
}

#[test]
fn billing_tags_and_class_change_and_stay_changed() {
    everywhere(|house| {
        let table = house.create(spec("T", false, Some(ViewType::New)));
        let arn = house.stream(&table).arn();
        house.world.advance(Duration::from_secs(5));
        let units = Throughput { read_units: 1, write_units: 2 };
        let change = TableChange {
            billing: Some(Billing::Provisioned(units)),
            class: Some(TableClass::InfrequentAccess),
            ..TableChange::default()
        };
        let updated = house.engine().update_table(&scope(), "T", change).unwrap();
        assert_eq!(updated.status, TableStatus::Updating);
        let tags = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect::<Vec<_>>()
        };
        house.engine().tag(&table, tags(&[("a", "1"), ("b", "2")])).unwrap();
        house.engine().tag(&table, tags(&[("a", "3")])).unwrap();
        house.engine().untag(&table, &["b".to_owned()]).unwrap();
        house.restart();
        let table = house.table("T");
        let described = house.engine().describe_table(&table).unwrap();
        assert_eq!(described.billing, Billing::Provisioned(units));
        assert_eq!(described.class, Some(TableClass::InfrequentAccess));
        assert_eq!(house.engine().tags(&table), tags(&[("a", "3")]));
        // None of this touches the stream.
        assert_eq!(described.stream.unwrap().arn, arn);
    });
}

#[test]
fn streams_are_enabled_once_and_disabled_once() {
    let house = House::in_memory();
    house.create(spec("T", false, None));
    assert_eq!(house.engine().describe_table(&house.table("T")).unwrap().stream, None);
    let change = |stream| TableChange { stream: Some(stream), ..TableChange::default() };
    let engine = house.engine();
    refuses(
        engine.update_table(&scope(), "T", change(StreamChange::Disable)),
        ErrorKind::Validation,
        "Table has no stream to disable: TableName: T",
    );
    engine.update_table(&scope(), "T", change(StreamChange::Enable(ViewType::Old))).unwrap();
    refuses(
        engine.update_table(&scope(), "T", change(StreamChange::Enable(ViewType::New))),
        ErrorKind::Validation,
        "Table already has an enabled stream: TableName: T",
    );
}
