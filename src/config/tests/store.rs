//! Tests of where the store is: `store`.

use super::*;

/// The server of a configuration with this line, and its password.
fn server(line: &str) -> (ServerAddress, Option<String>) {
    let StorePlace::Server(server) = sound(&with(line)).store else { panic!("{line} is a file") };
    let password = server.password.as_ref().map(|password| password.0.expose_secret().to_owned());
    (*server, password)
}

#[test]
fn a_server_is_read_with_all_its_parts() {
    let line = "store: \"postgres://ana%40desk:${SMTP_PASSWORD}@db.example.org:6432/news%20desk?sslmode=verify-full&sslrootcert=ca.pem\"";
    let (server, password) = server(line);
    assert_eq!((server.host.as_str(), server.port), ("db.example.org", 6432));
    assert_eq!((server.user.as_str(), server.database.as_str()), ("ana@desk", "news desk"));
    assert_eq!(password.as_deref(), Some("pa55w0rd"));
    assert_eq!(server.encryption, ServerEncryption::VerifyFull);
    assert_eq!(server.authorities.as_deref(), Some(Path::new("/etc/tidings/ca.pem")));
    let shown = format!("{server:?} {server} {}", StorePlace::Server(Box::new(server.clone())));
    assert!(
        !shown.contains("pa55w0rd") && shown.contains("db.example.org:6432/news desk"),
        "{shown}"
    );
}

#[test]
fn what_the_address_of_a_server_leaves_out_has_a_default() {
    let (local, password) = server("store: postgresql://ana@[::1]/tidings");
    assert_eq!((local.host.as_str(), local.port, password), ("::1", 5432, None));
    assert_eq!((local.encryption, local.authorities), (ServerEncryption::Prefer, None));
    let (far, _) = server("store: postgres://ana@db.example.org/tidings");
    assert_eq!(far.encryption, ServerEncryption::VerifyFull);
    let (trusted, _) = server("store: postgres://ana@localhost/tidings?sslrootcert=ca.pem");
    assert_eq!(trusted.encryption, ServerEncryption::VerifyFull);
}

#[test]
fn an_argument_names_a_file_or_a_server_without_its_password() {
    let parsed = |text: &str| StorePlace::parse_argument(text).map(|place| place.to_string());
    assert_eq!(parsed("/var/tidings.db").as_deref(), Ok("/var/tidings.db"));
    assert_eq!(parsed("sqlite:tidings.db").as_deref(), Ok("tidings.db"));
    let address = "postgres://ana@localhost:6432/tidings";
    assert_eq!(parsed(address).as_deref(), Ok("localhost:6432/tidings"));
    assert!(parsed("postgres://ana:pa55w0rd@localhost/tidings").is_err());
    assert!(parsed("mysql://ana@localhost/tidings").is_err());
}

#[test]
fn a_server_is_reached_by_its_socket() {
    let (server, _) = server("store: postgres://ana@%2Frun%2Fpostgresql/tidings");
    assert_eq!(server.host, "/run/postgresql");
}

#[test]
fn a_password_stands_beside_the_address_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "p@ss/w0rd\nmore\n").unwrap();
    let url = "url: postgres://ana@db.example.org/tidings";
    for (beside, expected) in [
        ("password: \"${SMTP_PASSWORD}\"".to_owned(), "pa55w0rd"),
        (format!("password_file: {}", file.display()), "p@ss/w0rd"),
    ] {
        let (_, password) = server(&format!("store: {{{url}, {beside}}}"));
        assert_eq!(password.as_deref(), Some(expected));
    }
    assert_eq!(server(&format!("store: {{{url}}}")).1, None);
}

#[test]
fn faults_of_the_store() {
    let said = said_of(&[
        &with("store: mysql://ana@localhost/tidings"),
        &with("store: postgres://localhost/tidings"),
        &with("store: postgres://ana:pa55w0rd@localhost"),
        &with("store: postgres://ana:pa55w0rd@localhost/tidings/news"),
        &with("store: postgres:tidings"),
        &with("store: postgres://ana:pa55w0rd@localhost/tidings?sslmode=verified"),
        &with("store: postgres://ana@localhost/tidings?sslmode=require&sslrootcert=ca.pem"),
        &with("store: postgres://ana:pa55w0rd@localhost/tidings?options=pa55w0rd"),
        &with("store: {url: postgres://ana:pa55w0rd@localhost/tidings, password: pa55w0rd}"),
        &with("store: {url: postgres://ana@localhost/tidings, password: a, password_file: b}"),
        &with("store: {url: sqlite:tidings.db}"),
        &with("store: {password: pa55w0rd, pasword: pa55w0rd}"),
    ]);
    insta::assert_snapshot!(said);
}
