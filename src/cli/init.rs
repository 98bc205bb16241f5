//! `tidings init`: a folder with a configuration and a first rule.

use std::borrow::Cow;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::exit::Exit;
use crate::cli::load::read_list;
use crate::cli::output::{self, fail_with_help, unavailable};
use crate::cli::schema;

const CONFIG: &str = include_str!("init/config.yaml");
const RULE: &str = include_str!("init/first.yaml");

/// Invented stories, two of which match nothing and one the first rule.
const EXAMPLE_FEED: &str = include_str!("../../examples/wire.xml");

/// The line of [`CONFIG`] in whose place the feeds stand.
const FEEDS: &str = "FEEDS";

const ONLY_EXAMPLE: &str = "  \
  - {url: \"file:example.xml\", name: The Example Wire}     # invented stories: a first alert
  # - https://example.org/feed.xml          # `tidings feeds find URL` prints the feeds of a site";

const ONLY_LIST: &str = "  \
  - {opml: subscriptions.opml}              # its folders are tags; its feeds follow the file
  # - https://example.org/feed.xml          # `tidings feeds find URL` prints the feeds of a site";

/// The name under which a list is copied.
const LIST: &str = "subscriptions.opml";

/// A file to write: its path in the folder, and its bytes.
struct NewFile {
    name: &'static str,
    bytes: Cow<'static, [u8]>,
}

/// Writes a configuration, a rule, and their schemas into `folder`, which is made if it is missing.
/// With `list`, another reader's list is copied and takes the place of the example feed. If one of
/// the files exists, nothing is written: 65.
pub(super) fn init(folder: &Path, list: Option<&Path>) -> Exit {
    write(folder, list).err().unwrap_or(Exit::Ok)
}

fn write(folder: &Path, list: Option<&Path>) -> Result<(), Exit> {
    let files = new_files(folder, list)?;
    if let Some(there) =
        files.iter().map(|file| folder.join(file.name)).find(|path| path.symlink_metadata().is_ok())
    {
        let help = "name another folder; `init` writes over nothing";
        let message = format!("{} exists already", there.display());
        return Err(fail_with_help(message, help, Exit::Data));
    }
    for file in &files {
        let path = folder.join(file.name);
        write_new(&path, &file.bytes).map_err(|why| {
            unavailable(format_args!("{} cannot be written: {why}", path.display()))
        })?;
    }
    output::print(&next_steps(folder, &files))
}

fn new_files(folder: &Path, list: Option<&Path>) -> Result<Vec<NewFile>, Exit> {
    let of_text = |name, text: &'static str| NewFile { name, bytes: text.as_bytes().into() };
    let feeds = if list.is_some() { ONLY_LIST } else { ONLY_EXAMPLE };
    let config = NewFile {
        name: "config.yaml",
        bytes: CONFIG.replacen(FEEDS, feeds, 1).into_bytes().into(),
    };
    let mut files = vec![config, of_text("rules/first.yaml", RULE)];
    match list {
        None => files.push(of_text("example.xml", EXAMPLE_FEED)),
        Some(list) if is_same(list, &folder.join(LIST)) => drop(read_list(list)?),
        Some(list) => files.push(NewFile { name: LIST, bytes: read_list(list)?.0.into() }),
    }
    // The project has no address from which editors could load the schemas, and machines that run
    // Tidings may have no internet, so the schemas stand beside the configuration.
    files.push(of_text("config.schema.json", schema::CONFIG));
    files.push(of_text("rules.schema.json", schema::RULES));
    Ok(files)
}

fn is_same(list: &Path, place: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().ok();
    whole(place).is_some_and(|place| whole(list) == Some(place))
}

/// Writes a file that must not exist. Its folder is made if it is missing.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes)
}

fn next_steps(folder: &Path, files: &[NewFile]) -> String {
    let names: Vec<&str> = files.iter().map(|file| file.name).collect();
    let is_here = folder.components().eq(PathBuf::from(".").components());
    let go = if is_here { String::new() } else { format!("  cd {}\n", folder.display()) };
    let run = if names.contains(&LIST) {
        "tidings run                       # polls the feeds of the list until Ctrl-C"
    } else {
        "tidings run                       # shows an alert, then polls until Ctrl-C"
    };
    format!(
        "written: {}\nnext:\n{go}  \
  tidings check                     # the configuration, the rules and their examples
  {run}
  tidings notify desk               # a test mail, when config.yaml has your mail server
  tidings feeds find https://…      # the feeds of a site, for config.yaml
  tidings try 'Russia AND arms' https://…   # an expression on a feed, for rules/first.yaml
",
        names.join(", ")
    )
}
