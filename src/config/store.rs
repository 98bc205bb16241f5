//! Reads where the store is: `store`.

use super::password;
use super::reader::ConfigReader;
use super::server_address::parse_address;
use super::store_place::{ServerAddress, StorePlace};
use tidings_rules::yaml::Node;

/// `sqlite:FILE`, `postgres://USER@HOST/DATABASE`, or a server with its password beside it:
/// `{url: postgres://USER@HOST/DATABASE, password_file: FILE}`.
pub(super) fn store(node: Option<Node<'_>>, reader: &mut ConfigReader<'_>) -> Option<StorePlace> {
    let Some(node) = node else {
        return Some(StorePlace::File(reader.base.join("tidings.db")));
    };
    if node.is_mapping() {
        return server_with_password(node, reader);
    }
    let address = reader.string(node)?;
    match address.strip_prefix("sqlite:") {
        Some(file) => file_of(node, file.strip_prefix("//").unwrap_or(file), reader),
        None => server(node, &address, reader).map(|server| StorePlace::Server(Box::new(server))),
    }
}

fn file_of(node: Node<'_>, file: &str, reader: &mut ConfigReader<'_>) -> Option<StorePlace> {
    if matches!(file, "" | ":memory:") {
        reader.error(node, "the store must be a file", "write sqlite:tidings.db");
        return None;
    }
    if file.contains('?') {
        reader.error(node, "a store takes no options", "remove the ? and what follows");
        return None;
    }
    Some(StorePlace::File(reader.base.join(file)))
}

fn server_with_password(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<StorePlace> {
    let mut entries = reader.entries(node)?;
    let url = entries.require("url", reader.faults);
    let (password, file) = (entries.get("password"), entries.get("password_file"));
    let password = password::password(password, file, reader);
    entries.refuse_unknown_keys(reader.faults);
    let url = url?;
    let address = reader.string(url)?;
    let server = server(url, &address, reader);
    let (mut server, password) = (server?, password.ok()?);
    if let Some((node, password)) = password {
        if server.password.is_some() {
            let help = "keep `password`, and take the password out of the address";
            reader.error(node, "the address in `url` holds a password, too", help);
            return None;
        }
        server.password = Some(password.as_str().into());
    }
    Some(StorePlace::Server(Box::new(server)))
}

fn server(node: Node<'_>, address: &str, reader: &mut ConfigReader<'_>) -> Option<ServerAddress> {
    let parsed = parse_address(address, reader.base);
    parsed.map_err(|fault| reader.error(node, fault.what, fault.help)).ok()
}
