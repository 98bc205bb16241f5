//! Reads a password beside an address: `password` or `password_file`.

use super::faulty::Faulty;
use super::reader::ConfigReader;
use tidings_rules::yaml::Node;

/// The longest password that is read from a file, in bytes.
const LONGEST: u64 = 4096;

/// The password of the keys `password` and `password_file`, if there is one, and its place.
pub(super) fn password<'d>(
    password: Option<Node<'d>>,
    file: Option<Node<'d>>,
    reader: &mut ConfigReader<'_>,
) -> Result<Option<(Node<'d>, String)>, Faulty> {
    let (node, password) = match (password, file) {
        (Some(_), Some(file)) => {
            reader.error(file, "`password` is set as well", "keep one of the two");
            return Err(Faulty);
        }
        (Some(node), None) => (node, reader.string(node)),
        (None, Some(node)) => (node, password_in_file(node, reader)),
        (None, None) => return Ok(None),
    };
    password.map(|password| Some((node, password))).ok_or(Faulty)
}

/// The first line of a file, such as a mounted secret or a systemd credential
/// (`${CREDENTIALS_DIRECTORY}/smtp`).
fn password_in_file(node: Node<'_>, reader: &mut ConfigReader<'_>) -> Option<String> {
    let path = reader.expanded(node)?;
    let read = reader.read_text(&path.value, LONGEST).map_err(|why| {
        let message = format!("`{}` cannot be read: {why}", path.written.value);
        reader.error(node, message, "it must be a file that Tidings may read");
    });
    let text = read.ok()?;
    let password = text.lines().next().unwrap_or_default();
    if password.is_empty() {
        reader.error(
            node,
            format!("`{}` holds no password", path.written.value),
            "its first line should be the password",
        );
        return None;
    }
    Some(password.to_owned())
}
