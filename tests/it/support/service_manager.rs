//! What systemd hears of a run.

use std::os::unix::net::UnixDatagram;

use super::tidings::Folder;

/// The notices to systemd that `wanted` accepts, of a socket that is read until then.
pub fn wait_for_notice(socket: &UnixDatagram, wanted: &str) -> String {
    socket.set_read_timeout(Some(crate::support::DEADLINE)).expect("a socket");
    let mut buffer = [0; 4096];
    loop {
        let read = socket.recv(&mut buffer).unwrap_or_else(|why| panic!("no {wanted}: {why}"));
        let notice = String::from_utf8_lossy(&buffer[..read]).into_owned();
        if notice.lines().any(|line| line.starts_with(wanted)) {
            return notice;
        }
    }
}

/// A socket that hears what the next runs of a folder tell their service manager. The watchdog
/// waits for two seconds.
pub fn with_service_manager(folder: &Folder) -> UnixDatagram {
    let path = folder.place("notify.sock");
    folder.set("NOTIFY_SOCKET", &path);
    folder.set("WATCHDOG_USEC", "2000000");
    UnixDatagram::bind(path).expect("a socket")
}
