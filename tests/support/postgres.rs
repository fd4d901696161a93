//! Tests of PostgreSQL need a server. A run that has none says so, and fails.

/// Without a server only SQLite is tested, and a green run would say more than was tried.
#[test]
fn the_tests_of_postgresql_have_a_server_or_somebody_said_that_they_shall_have_none() {
    let without = std::env::var("RELAIS_WITHOUT_POSTGRES").is_ok_and(|said| said == "1");
    assert!(
        without || std::env::var_os("RELAIS_TEST_POSTGRES").is_some(),
        "the feature `postgres` is on and no test of it was run: `./tests/run` starts a server of its own; or name one \
         (RELAIS_TEST_POSTGRES=postgres://user:password@host/database, a role that may create databases), or set \
         RELAIS_WITHOUT_POSTGRES=1 to test SQLite alone"
    );
}
