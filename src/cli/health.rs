//! `tidings health`: asks a running Tidings whether it is alive and ready.

use std::fmt::Display;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::arguments::DEFAULT_CONFIG;
use crate::cli::exit::Exit;
use crate::cli::runtime::block_on;
use crate::cli::{load, output};
use crate::config::WebAddress;
use crate::http::deepest_message;

/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// What is asked, and where.
#[derive(Debug, clap::Args)]
pub(super) struct HealthArguments {
    /// The configuration file.
    #[arg(long, short = 'c', value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    /// Ask the web listener at this address, and read no configuration
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address, conflicts_with = "config")]
    address: Option<WebAddress>,
    /// Ask whether it is ready: whether the rules are loaded and the store is written.
    #[arg(long)]
    ready: bool,
}

fn parse_address(text: &str) -> Result<WebAddress, String> {
    let help = "write 127.0.0.1:9177, [::1]:9177, or unix:tidings.sock";
    WebAddress::parse(text, Path::new("")).ok_or_else(|| help.to_owned())
}

/// Prints the answer of the web listener. The exit code is 69 if there is no answer, or if Tidings
/// is not alive. With `ready`, it must be ready, too.
pub(super) fn ask_health(arguments: &HealthArguments) -> Exit {
    try_ask(arguments).map_or_else(|exit| exit, |()| Exit::Ok)
}

fn try_ask(arguments: &HealthArguments) -> Result<(), Exit> {
    let address = match &arguments.address {
        Some(address) => address.clone(),
        None => configured_address(&arguments.config)?,
    };
    let page = if arguments.ready { "readyz" } else { "healthz" };
    let (is_well, answer) = block_on(get(&address, page))?;
    output::print(&answer)?;
    if is_well { Ok(()) } else { Err(Exit::Unavailable) }
}

fn configured_address(path: &Path) -> Result<WebAddress, Exit> {
    let config = load::read_config_and_print_faults(path).inspect_err(|_| {
        output::print_error_line(
            "  help: `tidings health --address ADDRESS` needs no configuration",
        );
    })?;
    let Some(web) = config.web else {
        let help = "set `web: {listen: \"127.0.0.1:9177\"}`, and restart Tidings";
        let why = "the configuration has no web listener to ask";
        return Err(output::fail_with_help(why, help, Exit::Config));
    };
    Ok(web.listen)
}

/// Whether the page was answered with success, and the answer.
async fn get(address: &WebAddress, page: &str) -> Result<(bool, String), Exit> {
    let unanswered =
        |why: &dyn Display| output::unavailable(format!("{address} does not answer: {why}"));
    let builder = reqwest::Client::builder().no_proxy().timeout(DEADLINE);
    let (builder, host) = match address {
        WebAddress::Tcp(address) => (builder, connectable(*address).to_string()),
        WebAddress::Unix(path) => (builder.unix_socket(path.clone()), "localhost".to_owned()),
    };
    let client = builder.build().map_err(|why| unanswered(&why))?;
    let answer = client.get(format!("http://{host}/{page}")).send().await;
    let answer = answer.map_err(|why| unanswered(&deepest_message(&why)))?;
    let is_well = answer.status().is_success();
    let text = answer.text().await.map_err(|why| unanswered(&why))?;
    Ok((is_well, text))
}

/// The address at which a listener on `address` is reached from this machine.
fn connectable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
