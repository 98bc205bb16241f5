//! Which addresses may be reached: private and special ones are refused unless the configuration allows them.

use std::net::IpAddr;

use ipnet::IpNet;

/// Whether `address` may be connected to: it is public, or one of `allow` holds it.
///
/// IPv4-mapped, NAT64 and 6to4 forms count as the address they carry. Special ranges are those of the IANA special-purpose registries (RFC 6890).
#[must_use]
pub fn permits(address: IpAddr, allow: &[IpNet]) -> bool {
    let _ = (address, allow);
    todo!()
}
