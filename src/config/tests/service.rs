//! Tests of `report`, `heartbeat` and `web`.

use super::*;

#[test]
fn faults_of_report_heartbeat_and_web() {
    let said = said_of(&[
        &with("report: {at: \"25:00\"}"),
        &with("report: {days: mon, zone: UTC}"),
        &with("report: {at: \"08:00\", days: [mon, funday]}"),
        &with("report: {at: \"08:00\", days: []}"),
        &with("report: {at: \"08:00\", to: [consol]}"),
        &with("report: {at: \"08:00\", to: []}"),
        &with("report: \"08:00\""),
        &with("heartbeat: {url: \"file:///S3CR3T\"}"),
        &with("heartbeat: {url: \"https://switch.example/S3CR3T\", every: never}"),
        &with("heartbeat: {url: \"https://switch.example/S3CR3T\", every: 1s}"),
        &with("heartbeat: \"https://switch.example/S3CR3T\""),
        &with("web: {listen: \"localhost:9177\"}"),
        &with("web: {listen: 9177}"),
        &with("web: {listen: \"unix:\"}"),
    ]);
    assert!(!said.contains("S3CR3T"), "{said}");
    insta::assert_snapshot!(said);
}
