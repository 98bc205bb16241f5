//! Parses the address of a server's database.

use std::borrow::Cow;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use url::Url;

use super::store_place::{ServerAddress, ServerEncryption, USUAL_PORT};

/// What to write for a server.
const FORM: &str = "write postgres://USER@HOST/DATABASE, and the folder of a socket as the host with %2F for each /";

/// The values of `sslmode`. `verify-ca` is none: any authority that is trusted could sign for any
/// server.
const MODES: [(&str, ServerEncryption); 4] = [
    ("disable", ServerEncryption::Disable),
    ("prefer", ServerEncryption::Prefer),
    ("require", ServerEncryption::Require),
    ("verify-full", ServerEncryption::VerifyFull),
];

/// Why an address cannot be used. It holds nothing of the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressFault {
    /// What is wrong.
    pub what: &'static str,
    /// What to write.
    pub help: &'static str,
}

/// Parses `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?sslmode=MODE&sslrootcert=FILE]`. The
/// file is relative to `base`.
pub(super) fn parse_address(address: &str, base: &Path) -> Result<ServerAddress, AddressFault> {
    let url = Url::parse(address.trim()).ok();
    let url = url.filter(|url| matches!(url.scheme(), "postgres" | "postgresql"));
    let url = url.ok_or(AddressFault {
        what: "this is neither a file nor a database of a server",
        help: "write sqlite:tidings.db, or postgres://USER@HOST/DATABASE",
    })?;
    let (mode, authorities) = parse_options(&url, base)?;
    let faulty = |what| AddressFault { what, help: FORM };
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8().map(Cow::into_owned);
        text.map_err(|_| faulty("a part of this address is not UTF-8"))
    };
    let host = decoded(url.host_str().unwrap_or_default().trim_matches(['[', ']']))?;
    let user = decoded(url.username())?;
    let password = url.password().map(decoded).transpose()?;
    let database = decoded(url.path().strip_prefix('/').unwrap_or_default())?;
    match () {
        () if host.is_empty() => Err(faulty("this address has no host")),
        () if user.is_empty() => Err(faulty("this address has no user")),
        () if database.is_empty() || database.contains('/') => {
            Err(faulty("this address does not end with the name of a database"))
        }
        () if url.fragment().is_some() => Err(faulty("this address has more than a database")),
        () => Ok(ServerAddress {
            encryption: mode.unwrap_or_else(|| usual_encryption(&host)),
            host,
            port: url.port().unwrap_or(USUAL_PORT),
            user,
            password: password.map(|password| password.as_str().into()),
            database,
            authorities,
        }),
    }
}

/// The options behind the database.
fn parse_options(
    url: &Url,
    base: &Path,
) -> Result<(Option<ServerEncryption>, Option<PathBuf>), AddressFault> {
    let (mut mode, mut authorities) = (None, None);
    for (name, value) in url.query_pairs() {
        match &*name {
            "sslmode" => {
                let known = MODES.iter().find(|(mode, _)| *mode == value);
                let (_, known) = known.ok_or(AddressFault {
                    what: "this `sslmode` is not known",
                    help: "write disable, prefer, require or verify-full",
                })?;
                mode = Some(*known);
            }
            "sslrootcert" => authorities = Some(base.join(&*value)),
            _ => {
                return Err(AddressFault {
                    what: "this option of the address is not known",
                    help: "only sslmode and sslrootcert can follow the ?",
                });
            }
        }
    }
    if authorities.is_some() && mode.is_some_and(|mode| mode != ServerEncryption::VerifyFull) {
        return Err(AddressFault {
            what: "this `sslmode` checks no certificate, so `sslrootcert` is of no use",
            help: "write sslmode=verify-full, or remove sslrootcert",
        });
    }
    Ok((mode.or(authorities.as_ref().map(|_| ServerEncryption::VerifyFull)), authorities))
}

/// What an address without `sslmode` means: what leaves the machine is encrypted, for a server that
/// shows who it is.
fn usual_encryption(host: &str) -> ServerEncryption {
    let is_here = host.starts_with('/')
        || host == "localhost"
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    if is_here { ServerEncryption::Prefer } else { ServerEncryption::VerifyFull }
}
