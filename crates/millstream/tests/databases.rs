//! Clusters of RDS are real databases, and the Data API speaks to them: the whole way, over HTTP.

use crate::support::BINARY;
use serde_json::{Value, json};
use testkit::{Client, Node, TempDir};

struct Cluster {
    client: Client,
    arn: String,
    secret: String,
}

/// The text between the first pair of these tags.
fn between<'a>(text: &'a str, tag: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("<{tag}>")).unwrap_or_else(|| panic!("no {tag} in {text}"));
    rest.split_once(&format!("</{tag}>")).expect("an end").0
}

fn rds(client: &mut Client, action: &str, members: &str) -> (u16, String) {
    let answer = client.form("rds", &format!("Action={action}&Version=2014-10-31&{members}")).unwrap();
    (answer.status, answer.text())
}

impl Cluster {
    fn create(node: &Node, id: &str, more: &str) -> Cluster {
        let mut client = node.client();
        let members = format!(
            "DBClusterIdentifier={id}&MasterUsername=chief&ManageMasterUserPassword=true&EnableHttpEndpoint=true&{more}"
        );
        let (status, text) = rds(&mut client, "CreateDBCluster", &members);
        assert_eq!(status, 200, "{text}");
        assert_eq!(between(&text, "Status"), "available");
        let (arn, secret) =
            (between(&text, "DBClusterArn").to_owned(), between(&text, "SecretArn").to_owned());
        Cluster { client, arn, secret }
    }

    fn post(&mut self, path: &str, mut body: Value) -> (u16, Value) {
        body["resourceArn"] = self.arn.as_str().into();
        body["secretArn"] = self.secret.as_str().into();
        let date = "X-Amz-Date: 20260101T000000Z";
        let scope = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/rds-data/aws4_request";
        let headers = format!(
            "Content-Type: application/json\r\n{date}\r\nAuthorization: {scope}, SignedHeaders=host, Signature={}\r\n",
            "0".repeat(64)
        );
        let answer = self.client.send("POST", path, &headers, body.to_string().as_bytes()).unwrap();
        let mut told = answer.json();
        if answer.status != 200 {
            let name = answer.head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("x-amzn-errortype").then(|| value.trim().to_owned())
            });
            told["name"] = name.unwrap_or_default().into();
        }
        (answer.status, told)
    }

    #[track_caller]
    fn run(&mut self, sql: &str, parameters: Value) -> Value {
        let (status, told) = self.post("/Execute", json!({"sql": sql, "parameters": parameters}));
        assert_eq!(status, 200, "{sql}: {told}");
        told
    }

    #[track_caller]
    fn fails(&mut self, sql: &str, parameters: Value, expected: &str) {
        let (status, told) = self.post("/Execute", json!({"sql": sql, "parameters": parameters}));
        let message = told["message"].as_str().unwrap_or_default();
        assert_eq!(format!("{status} {}: {message}", told["name"].as_str().unwrap()), expected, "{sql}");
    }
}

fn named(name: &str, value: Value) -> Value {
    json!({"name": name, "value": value})
}

#[test]
fn a_mysql_cluster_is_made_used_kept_and_removed() {
    let dir = TempDir::new("databases");
    let node = Node::start(BINARY, dir.path(), &[]);
    let mut cluster = Cluster::create(&node, "Kitchen", "Engine=aurora-mysql&DatabaseName=chefs");
    let created = cluster.run("CREATE TABLE chef (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50), pay DECIMAL(9,2), active BOOLEAN)", json!([]));
    assert_eq!(created, json!({"numberOfRecordsUpdated": 0, "generatedFields": []}));
    let insert = "INSERT INTO chef (name, pay, active) VALUES (:name, :pay, :active)";
    let values = json!([
        named("name", json!({"stringValue": "Zoë ':x'"})),
        named("pay", json!({"stringValue": "12.50"})),
        named("active", json!({"booleanValue": true})),
    ]);
    let inserted = cluster.run(insert, values.clone());
    assert_eq!(inserted, json!({"numberOfRecordsUpdated": 1, "generatedFields": [{"longValue": 1}]}));
    let (_, batch) =
        cluster.post("/BatchExecute", json!({"sql": insert, "parameterSets": [values.clone(), values]}));
    assert_eq!(batch["updateResults"][1], json!({"generatedFields": [{"longValue": 3}]}));

    let select = json!({"sql": "SELECT * FROM chef WHERE id = :id OR name IS NULL /* :id */",
        "parameters": [named("id", json!({"longValue": 1}))], "includeResultMetadata": true});
    let (_, found) = cluster.post("/Execute", select.clone());
    let record = json!([[{"longValue": 1}, {"stringValue": "Zoë ':x'"}, {"stringValue": "12.50"}, {"booleanValue": true}]]);
    assert_eq!(found["records"], record);
    assert_eq!(found["columnMetadata"][1]["typeName"], "VARCHAR");
    let mut formatted = select;
    formatted["formatRecordsAs"] = "JSON".into();
    formatted["resultSetOptions"] = json!({"decimalReturnType": "DOUBLE_OR_LONG"});
    let (_, found) = cluster.post("/Execute", formatted);
    assert_eq!(found["formattedRecords"], "[{\"id\":1,\"name\":\"Zoë ':x'\",\"pay\":12.5,\"active\":true}]");
    assert!(found.get("records").is_none());

    cluster.fails(
        "SELECT * FROM none",
        json!([]),
        "400 DatabaseErrorException: Table 'chefs.none' doesn't exist; Error code: 1146; SQLState: 42S02",
    );
    cluster.fails(
        "SELECT 1",
        json!([named("x", json!({"longValue": 1}))]),
        "400 BadRequestException: Cannot find parameter: x",
    );
    cluster.fails(
        "SELECT :x",
        json!([named("x", json!({"arrayValue": {"longValues": [1]}}))]),
        "400 BadRequestException: Parameter \"x\" has value with no field set",
    );
    cluster.fails(
        "SELECT 1; SELECT 2",
        json!([]),
        "400 BadRequestException: Multistatements aren't supported",
    );
    cluster.fails(
        "SELECT REPEAT('x', 2000000)",
        json!([]),
        "400 BadRequestException: Database response exceeded size limit",
    );

    transactions(&mut cluster, "INSERT INTO chef (name) VALUES ('new')", "SELECT count(*) FROM chef");

    // It is there after a restart, at the same port; a call finds it.
    let (_, before) = rds(&mut cluster.client, "DescribeDBClusters", "DBClusterIdentifier=kitchen");
    let port = between(&before, "Port").to_owned();
    drop(cluster.client);
    assert!(node.stop().success());
    let node = Node::start(BINARY, dir.path(), &[]);
    cluster.client = node.client();
    assert_eq!(cluster.run("SELECT count(*) FROM chef", json!([]))["records"][0][0]["longValue"], 4);
    let (_, after) = rds(&mut cluster.client, "DescribeDBClusters", "");
    assert_eq!(between(&after, "Port"), port);

    // While its data is out of reach it does not start, and that is all a client learns.
    let (there, away) = (dir.path().join("databases"), dir.path().join("away"));
    assert!(node.stop().success());
    std::fs::rename(&there, &away).expect("a directory of databases");
    let node = Node::start(BINARY, dir.path(), &[]);
    cluster.client = node.client();
    let gone = "504 DatabaseUnavailableException: The writer instance in the DB cluster isn't available.";
    cluster.fails("SELECT 1", json!([]), gone);
    assert!(node.stop().success());
    let _ = std::fs::remove_dir_all(&there);
    std::fs::rename(&away, &there).expect("its own place again");
    let node = Node::start(BINARY, dir.path(), &[]);
    cluster.client = node.client();
    cluster.run("SELECT 1", json!([]));

    let (status, text) = rds(&mut cluster.client, "DeleteDBCluster", "DBClusterIdentifier=kitchen");
    assert_eq!(status, 400, "{text}");
    let (status, text) =
        rds(&mut cluster.client, "DeleteDBCluster", "DBClusterIdentifier=kitchen&SkipFinalSnapshot=true");
    assert_eq!((status, between(&text, "Status")), (200, "deleting"));
    let (status, text) = rds(&mut cluster.client, "DescribeDBClusters", "DBClusterIdentifier=kitchen");
    assert_eq!((status, between(&text, "Code")), (404, "DBClusterNotFoundFault"));
    let left = std::fs::read_dir(dir.path().join("databases")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "its data is gone");
}

fn transactions(cluster: &mut Cluster, insert: &str, count: &str) {
    let counted =
        |cluster: &mut Cluster| cluster.run(count, json!([]))["records"][0][0]["longValue"].as_i64().unwrap();
    let before = counted(cluster);
    for (end, more) in [("/RollbackTransaction", 0), ("/CommitTransaction", 1)] {
        let (_, begun) = cluster.post("/BeginTransaction", json!({}));
        let id = begun["transactionId"].clone();
        let (status, told) = cluster.post("/Execute", json!({"sql": insert, "transactionId": id}));
        assert_eq!(status, 200, "{told}");
        assert_eq!(counted(cluster), before, "nobody else sees it");
        assert_eq!(cluster.post(end, json!({"transactionId": id})).0, 200);
        assert_eq!(counted(cluster), before + more);
        let (status, told) = cluster.post("/Execute", json!({"sql": insert, "transactionId": id}));
        assert_eq!((status, told["name"].as_str()), (404, Some("TransactionNotFoundException")));
    }
}

#[test]
fn a_postgresql_cluster_has_types_of_its_own() {
    let dir = TempDir::new("databases");
    let node = Node::start(BINARY, dir.path(), &[]);
    let mut cluster = Cluster::create(&node, "staff", "Engine=aurora-postgresql&DatabaseName=people");
    cluster.run("CREATE TABLE kinds (id uuid PRIMARY KEY, n numeric, day date, tree jsonb, raw bytea, tags text[], at timestamptz)", json!([]));
    let hinted = |name: &str, hint: &str, value: &str| json!({"name": name, "typeHint": hint, "value": {"stringValue": value}});
    let id = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    let values = json!([
        hinted("id", "UUID", id),
        hinted("n", "DECIMAL", "12345678901234567890.5"),
        hinted("day", "DATE", "2026-01-02"),
        hinted("tree", "JSON", "{\"a\": [1]}"),
        named("raw", json!({"blobValue": "AP8="})),
        named("tags", json!({"isNull": true})),
    ]);
    let insert = "INSERT INTO kinds VALUES (:id, :n, :day, :tree, :raw, coalesce(:tags, '{a,b}'::text[]), '2026-01-02 03:04:05+01') RETURNING id::text";
    let returned = cluster.run(insert, values);
    assert_eq!(returned["numberOfRecordsUpdated"], 1);
    assert_eq!(returned["records"], json!([[{"stringValue": id}]]));
    let found = cluster.run(
        "SELECT n, day, tree, raw, tags, at, NULL AS none, 1.5::float8 AS r, true AS yes FROM kinds",
        json!([]),
    );
    let expected = json!([[
        {"stringValue": "12345678901234567890.5"},
        {"stringValue": "2026-01-02"},
        {"stringValue": "{\"a\": [1]}"},
        {"blobValue": "AP8="},
        {"arrayValue": {"stringValues": ["a", "b"]}},
        {"stringValue": "2026-01-02 02:04:05"},
        {"isNull": true},
        {"doubleValue": 1.5},
        {"booleanValue": true},
    ]]);
    assert_eq!(found["records"], expected);
    assert_eq!(found["numberOfRecordsUpdated"], 0);
    let long = cluster.run("SELECT :x AS x", json!([named("x", json!({"longValue": 5}))]));
    assert_eq!(long["records"], json!([[{"longValue": 5}]]));

    cluster.fails("SELECT * FROM nowhere", json!([]), "400 DatabaseErrorException: ERROR: relation \"nowhere\" does not exist; Position: 15; SQLState: 42P01");
    cluster.fails(
        "SELECT point(1,2)",
        json!([]),
        "400 UnsupportedResultException: The result contains the unsupported data type \"POINT\".",
    );
    transactions(
        &mut cluster,
        "INSERT INTO kinds (id) VALUES (gen_random_uuid())",
        "SELECT count(*) FROM kinds",
    );

    let (status, text) =
        rds(&mut cluster.client, "ModifyDBCluster", "DBClusterIdentifier=staff&EnableHttpEndpoint=false");
    assert_eq!(status, 200, "{text}");
    let (status, told) = cluster.post("/Execute", json!({"sql": "SELECT 1"}));
    assert_eq!((status, told["name"].as_str()), (400, Some("HttpEndpointNotEnabledException")));
}

#[test]
fn clusters_move_in_where_a_server_is_there() {
    let (postgres, mariadb) = (testkit::postgres(), testkit::mariadb());
    let (given, other) = (postgres.url("postgres"), mariadb.url(""));
    let dir = TempDir::new("databases");
    let node = Node::start(BINARY, dir.path(), &["--database-postgres", &given, "--database-mysql", &other]);
    let ways = [
        (
            "Engine=aurora-postgresql&DatabaseName=people",
            &given,
            "SELECT datname::text FROM pg_database WHERE NOT datistemplate ORDER BY 1",
            "SELECT 1 FROM pg_roles WHERE rolname = 'chief'",
        ),
        (
            "Engine=aurora-mysql&DatabaseName=the_chefs",
            &other,
            "SELECT schema_name FROM information_schema.schemata ORDER BY 1",
            "SELECT 1 FROM mysql.user WHERE user = 'chief'",
        ),
    ];
    for (engine, url, databases, user) in ways {
        let settings = sql::Settings::parse(url).expect("a URL");
        let mut admin = sql::Connection::open(&settings).expect("the server");
        let before = admin.query(databases, &[]).expect("rows").rows;
        let mut cluster = Cluster::create(&node, "tenant", engine);
        cluster.run("CREATE TABLE t (n int)", json!([]));
        let counted = "SELECT count(*) FROM t";
        transactions(&mut cluster, "INSERT INTO t VALUES (1)", counted);
        assert_eq!(admin.query(databases, &[]).expect("rows").rows.len(), before.len() + 1);
        let (_, told) = rds(&mut cluster.client, "DescribeDBClusters", "DBClusterIdentifier=tenant");
        let sql::Place::Server(server) = &settings.place else { panic!("a server") };
        assert_eq!(between(&told, "Port"), server.port.to_string());

        // What somebody has there is nobody else's.
        for (named, what) in [("chief&DatabaseName=b", "user chief"), ("c&DatabaseName=", "database ")] {
            let (kind, name) = engine.split_once("&DatabaseName=").expect("a name");
            let named = if named.ends_with('=') { format!("{named}{name}") } else { named.to_owned() };
            let members = format!(
                "DBClusterIdentifier=second&MasterUsername={named}&MasterUserPassword=long-enough&{kind}"
            );
            let (status, told) = rds(&mut cluster.client, "CreateDBCluster", &members);
            assert_eq!((status, between(&told, "Code")), (400, "InvalidParameterValue"), "{told}");
            assert!(told.contains(&format!("there is a {what}")), "{told}");
        }
        let modified = "DBClusterIdentifier=tenant&SkipFinalSnapshot=true";
        let (status, told) = rds(&mut cluster.client, "DeleteDBCluster", modified);
        assert_eq!(status, 200, "{told}");
        assert_eq!(admin.query(databases, &[]).expect("rows").rows, before);
        assert!(admin.query(user, &[]).expect("rows").rows.is_empty(), "its user is gone");
    }
    let left = std::fs::read_dir(dir.path().join("databases")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "none was started here");
}
