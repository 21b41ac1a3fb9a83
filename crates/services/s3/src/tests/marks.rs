//! What is told of things by marks: markers of deletion, tags that are AWS's own.

use super::{Bench, run};

fn tagging(tags: &[(&str, &str)]) -> String {
    let tags = tags.iter().map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>"));
    format!("<Tagging><TagSet>{}</TagSet></Tagging>", tags.collect::<String>())
}

#[test]
fn markers_of_deletion_are_told() {
    run(async {
        let bench = Bench::with_bucket().await;
        let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        assert_eq!(bench.ask("PUT /b-1?versioning", &[], on).await.status, 200);
        bench.ask("PUT /b-1/k", &[], "v").await;
        let gone = bench.ask("DELETE /b-1/k", &[], "").await;
        let marker = gone.header("x-amz-version-id").to_owned();
        for (line, status, allow) in [
            ("HEAD /b-1/k".to_owned(), 404, ""),
            ("GET /b-1/k".to_owned(), 404, ""),
            (format!("HEAD /b-1/k?versionId={marker}"), 405, "DELETE"),
            (format!("GET /b-1/k?versionId={marker}"), 405, "DELETE"),
        ] {
            let told = bench.ask(&line, &[], "").await;
            let headers = ["x-amz-delete-marker", "x-amz-version-id", "allow"].map(|name| told.header(name));
            assert_eq!((told.status, headers), (status, ["true", &marker, allow]), "{line}");
        }
        let tagged =
            bench.ask(&format!("PUT /b-1/k?tagging&versionId={marker}"), &[], &tagging(&[("a", "b")])).await;
        assert_eq!(
            (tagged.element("Code"), tagged.element("Method")),
            ("MethodNotAllowed".into(), "PUT".into())
        );
        // What was never there has no marker.
        let none = bench.ask("HEAD /b-1/never", &[], "").await;
        assert_eq!((none.status, none.header("x-amz-delete-marker")), (404, ""));
    });
}

#[test]
fn tags_of_the_services_are_not_for_clients() {
    run(async {
        let bench = Bench::with_bucket().await;
        bench.ask("PUT /b-1/k", &[], "v").await;
        let own = tagging(&[("aws:a", "b")]);
        for (line, headers, body, message) in [
            ("PUT /b-1?tagging", &[][..], own.as_str(), "System tags cannot be added/updated by requester"),
            ("PUT /b-1/k?tagging", &[], own.as_str(), "Your TagKey cannot be prefixed with aws:"),
            ("PUT /b-1/l", &[("x-amz-tagging", "aws:a=b")], "v", "Your TagKey cannot be prefixed with aws:"),
        ] {
            let told = bench.ask(line, headers, body).await;
            assert_eq!(
                (told.element("Code"), told.element("Message")),
                ("InvalidTag".into(), message.into()),
                "{line}"
            );
        }
        assert_eq!(bench.ask("PUT /b-1?tagging", &[], &tagging(&[("a:aws:b", "c")])).await.status, 204);
        assert_eq!(bench.ask("HEAD /b-1", &[], "").await.header("content-type"), "application/xml");
    });
}
