//! `docs/attacks.md`: each attack on the log (SECURITY §1), what answers it, who sees it, and the test in which the
//! attacker must fail. The page is made from this table (`RELAIS_BLESS=1`), and a test that is named must be there.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

struct Row {
    attack: &'static str,
    control: &'static str,
    seen_by: &'static str,
    /// File and name of each test.
    tests: &'static [(&'static str, &'static str)],
}

const PRUNING: &str = "tests/store/pruning.rs";
const BESIDE_A_PRUNING: &str = "tests/store/pruning/attacks.rs";
const STATEMENTS: (&str, &str) =
    ("tests/store/attacks.rs", "every_statement_of_an_owner_is_seen_and_its_first_index_named");
const OLDER: (&str, &str) = (
    "tests/store/attacks.rs",
    "an_older_copy_put_back_is_seen_by_a_checkpoint_kept_elsewhere_and_by_a_running_node",
);
const WITNESSED: (&str, &str) = (
    "tests/store/witnessed.rs",
    "a_truncated_log_or_an_older_copy_is_whole_in_itself_and_refused_by_file_and_witness",
);
const QUORUM: (&str, &str) =
    ("tests/store/witnessed.rs", "of_two_histories_signed_with_the_real_key_one_gets_the_quorum");
const END_TO_END: (&str, &str) =
    ("tests/faults/witness.rs", "a_checkpoint_is_cosigned_from_end_to_end_and_an_older_copy_is_not_served");
const CONTINUES: (&str, &str) =
    ("src/service/checkpoints.rs", "a_log_that_does_not_continue_its_last_checkpoint_is_not_signed");

const ANYBODY: &str =
    "anybody with a copy of the database (`relais audit verify`, no key); the auditor (`/controle/preuve`)";
const KEEPER: &str = "whoever kept a checkpoint elsewhere; the witnesses; the server, which does not start";
const REWRITTEN: (&str, &str) =
    ("tests/store/rewriting.rs", "a_log_written_anew_with_the_real_key_is_seen_by_a_kept_checkpoint_only");
const REPLAYED: (&str, &str) =
    ("tests/store/rewriting.rs", "facts_changed_under_a_new_signature_are_found_by_a_replay");
const RECONCILED: (&str, &str) =
    ("tests/store/reconcile.rs", "data_changed_behind_the_log_is_named_with_its_record_and_row");
const FORGED: (&str, &str) = (
    "tests/store/witnessed.rs",
    "a_checkpoint_forged_with_the_real_key_is_named_by_the_verifier_and_refused_by_the_witness",
);
const HOLDS_THE_KEY: &str = "the service itself, once a day, and the auditor (`/controle`); whoever has the key-encryption key (`relais audit reconcile`)";

const ROWS: &[Row] = &[
    Row {
        attack: "A record, its hash, its search copy, the head or a stored checkpoint is edited",
        control: "every leaf and node is worked out again, against the head and the signed checkpoints",
        seen_by: ANYBODY,
        tests: &[STATEMENTS],
    },
    Row {
        attack: "A record is deleted, emptied, moved, copied or put in",
        control: "indexes without gap, times that never go back, nodes that are those of the tree",
        seen_by: ANYBODY,
        tests: &[STATEMENTS],
    },
    Row {
        attack: "A record is changed by the application's own account",
        control: "append-only triggers, and rights of the roles on PostgreSQL",
        seen_by: "the database, which refuses",
        tests: &[
            ("tests/store/guards.rs", "append_only_tables_refuse_update_delete_replace_and_truncate"),
            ("tests/store/guards.rs", "replacing_is_stopped_even_without_recursive_triggers"),
        ],
    },
    Row {
        attack: "The sealed detail of a record is changed",
        control: "the record commits to its detail",
        seen_by: "whoever verifies with the key (`relais audit verify --details`)",
        tests: &[("tests/store/attacks.rs", "details_are_held_against_their_records_where_the_key_is_given")],
    },
    Row {
        attack: "The tail is cut below a checkpoint",
        control: "a signed checkpoint tells the size that the log had",
        seen_by: ANYBODY,
        tests: &[STATEMENTS],
    },
    Row {
        attack: "An older copy is put back, its checkpoints with it",
        control: "a checkpoint kept elsewhere; a witness's cosignature; a start refuses a log shorter than the attested one; a running node stops when the head goes back",
        seen_by: KEEPER,
        tests: &[
            OLDER,
            WITNESSED,
            END_TO_END,
            ("src/audit/lane/tests.rs", "an_older_copy_or_an_edited_head_under_a_running_node_stops_it"),
            ("tests/store/ready.rs", "ready_fails_on_an_older_copy_before_anybody_asks_for_anything"),
        ],
    },
    Row {
        attack: "A bad hour is dropped: an older copy is put back, and what followed is declared lost",
        control: "two people proved by password and second factor; another name and key from there on, the old key destroyed; size and root of what was attested last, in the log's own records; a witness that does not know the new name",
        seen_by: "anybody who verifies (exit code 3), in our verifier or the other; the auditor's pages and every monthly report; whoever kept a checkpoint of more, who finds the loss understated",
        tests: &[
            (
                "src/cli/losses_tests.rs",
                "an_honest_loss_is_declared_by_two_people_told_for_ever_and_followed_by_the_witness",
            ),
            (
                "tests/store/verifier/losses.rs",
                "both_verifiers_tell_a_declared_loss_and_find_one_that_hides_more",
            ),
        ],
    },
    Row {
        attack: "Two histories: the log goes on from an older copy, signed with the real key",
        control: "consistency with a checkpoint kept elsewhere; a witness compares and sets; nothing is signed that does not continue the last one",
        seen_by: KEEPER,
        tests: &[
            OLDER,
            CONTINUES,
            WITNESSED,
            QUORUM,
            ("src/audit/witness/tests.rs", "a_witness_follows_a_log_that_grows_and_nothing_else"),
            ("src/service/cosigning.rs", "two_histories_at_once_one_is_cosigned"),
            (
                "tests/api/stories_s4.rs",
                "story_s4_a_checkpoint_taken_away_proves_later_that_nothing_before_it_changed",
            ),
        ],
    },
    Row {
        attack: "A checkpoint is forged with the real key and stored",
        control: "the server signs nothing after it; the verifier finds a root that is not the tree's, and names the checkpoint",
        seen_by: "the server at its next checkpoint; anybody who verifies; the witnesses",
        tests: &[
            FORGED,
            CONTINUES,
            ("src/audit/checkpoint.rs", "a_signed_checkpoint_is_of_its_own_log_only"),
        ],
    },
    Row {
        attack: "The log's key is stolen, and signs a log of the thief's",
        control: "a policy of k of n witnesses; two keys sign while one replaces the other",
        seen_by: "whoever verifies with a policy, in our verifier or the other",
        tests: &[
            QUORUM,
            (
                "src/audit/policy/tests.rs",
                "threat_a_checkpoint_signed_with_the_real_key_alone_fails_a_policy_of_witnesses",
            ),
            FORGED,
            ("tests/store/verifier/policies.rs", "the_quorum_is_counted"),
        ],
    },
    Row {
        attack: "The file of the attested checkpoint is forged, or of another log",
        control: "it is verified like any checkpoint; what does not read keeps the server from starting",
        seen_by: "the server, which does not start",
        tests: &[(
            "tests/store/witnessed.rs",
            "a_kept_file_that_is_forged_or_of_another_log_is_no_reassurance",
        )],
    },
    Row {
        attack: "The whole log is written anew, every hash fitting, and signed with the real key",
        control: "a checkpoint kept elsewhere; without one it is not seen",
        seen_by: KEEPER,
        tests: &[REWRITTEN, ("tests/store/verifier/logs.rs", "three_verifiers_agree_on_thousands_of_logs")],
    },
    Row {
        attack: "The facts or the outcome of a recorded decision are changed, and the log is signed again",
        control: "each decision is judged again on its facts, under the charter version that it cites",
        seen_by: "anybody with a copy of the database (`relais audit replay`, no key); the auditor, record by record",
        tests: &[REPLAYED],
    },
    Row {
        attack: "Records are pruned before their time, by one person, or by the application's own account",
        control: "the database lets a body go only under a request of two persons, of the technical class, a year old at least",
        seen_by: "the database, which refuses",
        tests: &[
            (PRUNING, "the_database_lets_a_confirmed_pruning_through_and_nothing_else"),
            (
                "src/service/auditing/pruning/tests.rs",
                "law_6_two_persons_prune_what_is_past_its_time_and_nothing_else_changes",
            ),
        ],
    },
    Row {
        attack: "Records are emptied without a pruning, beside one, under one of another class, or in the place of others",
        control: "a body may be missing only under a later record of a pruning, which names exactly its records by a digest, in time",
        seen_by: ANYBODY,
        tests: &[
            STATEMENTS,
            (BESIDE_A_PRUNING, "whatever_an_owner_prunes_beside_a_pruning_is_seen_and_named"),
        ],
    },
    Row {
        attack: "A disclosure, or a recent record, is given the class or the time of an old technical one between a request and its confirmation, so that the service itself erases it",
        control: "each record is judged by its body before it is erased; the columns of the request and of the decision are sealed with their words",
        seen_by: "the service, which refuses; whoever kept an export (`--previous`)",
        tests: &[
            (PRUNING, "a_record_is_erased_for_what_its_body_says_and_not_for_the_columns_beside_it"),
            (PRUNING, "what_two_persons_said_opens_no_more_where_a_column_was_edited"),
            (
                "src/service/auditing/pruning/tests.rs",
                "a_disclosure_that_an_owner_calls_technical_is_not_erased",
            ),
        ],
    },
    Row {
        attack: "A pruning is made up",
        control: "it cites a request that two persons' records cite, within its bounds; its detail is sealed under the instance's key and names what it covers",
        seen_by: "anybody with a copy of the database; where the request is made up too, whoever verifies with the key (`relais audit verify --details`)",
        tests: &[(BESIDE_A_PRUNING, "a_pruning_that_is_made_up_is_seen_and_named")],
    },
    Row {
        attack: "Data is changed, taken away or put in behind the log",
        control: "each record has the digest of what it wrote: worked out again from the rows; every row must have its record",
        seen_by: HOLDS_THE_KEY,
        tests: &[
            RECONCILED,
            (
                "tests/store/reconcile.rs",
                "what_the_log_says_was_erased_is_no_loss_and_a_destroyed_key_closes_its_pathway",
            ),
            ("tests/store/reconcile.rs", "an_account_an_affectation_or_a_place_that_nobody_made_is_named"),
        ],
    },
    Row {
        attack: "A receipt is altered, or is of another record",
        control: "inclusion proof up to a signed root",
        seen_by: "whoever holds the receipt, without the server",
        tests: &[
            ("src/audit/proof.rs", "every_flipped_bit_of_a_receipt_is_refused"),
            ("tests/api/pages_audit.rs", "story_s4_a_checkpoint_taken_from_the_page_is_compared_there_later"),
        ],
    },
    Row {
        attack: "The clock is set back",
        control: "a record is never earlier than the one before; a clock far behind stops the node; a cosignature bears the witness's time",
        seen_by: "the node itself; whoever reads the cosignature",
        tests: &[
            ("src/audit/lane/tests.rs", "time_never_goes_back_and_a_clock_far_behind_stops_the_node"),
            ("tests/store/witnessed.rs", "a_clock_set_back_does_not_set_back_the_time_of_a_cosignature"),
        ],
    },
    Row {
        attack: "Two nodes write at once",
        control: "each batch takes the head and reads it again",
        seen_by: "nobody: there is one log",
        tests: &[
            ("tests/store/lane.rs", "two_nodes_on_one_database_write_one_log"),
            ("tests/faults/nodes.rs", "three_nodes_write_one_log_while_one_is_killed_at_random"),
            ("src/audit/lane/tests.rs", "other_nodes_write_through_the_same_head"),
        ],
    },
    Row {
        attack: "Crash anywhere: the program is killed with `kill -9`, its disk is full, its database is cut off",
        control: "a record, what it covers and the head are one transaction; nothing is answered before its commit; the next start repairs nothing",
        seen_by: "nobody: what was answered is recorded, and the log verifies",
        tests: &[
            ("tests/faults/killed.rs", "killed_at_random_it_needs_no_repair_and_every_answer_is_in_the_log"),
            ("tests/faults/nodes.rs", "three_nodes_write_one_log_while_one_is_killed_at_random"),
            (
                "tests/faults/disk.rs",
                "without_room_on_the_disk_nothing_is_released_and_with_room_again_it_goes_on",
            ),
            (
                "tests/faults/cut.rs",
                "a_database_that_is_cut_off_answers_503_and_comes_back_without_a_restart",
            ),
            ("src/audit/lane/tests.rs", "the_table_of_failure_points"),
        ],
    },
    Row {
        attack: "Content is read without a record, or by a caller who goes away before it",
        control: "content is disclosed after the commit of its record",
        seen_by: "nobody: there is no such reading",
        tests: &[
            (
                "src/audit/lane/tests.rs",
                "content_is_disclosed_after_the_commit_of_a_permit_and_never_otherwise",
            ),
            ("src/audit/lane/tests.rs", "a_caller_who_leaves_is_recorded_all_the_same"),
        ],
    },
];

/// What nothing here sees yet.
const UNSEEN: &[&str] = &[
    "An older copy put back, or the whole log written anew with the real key, where **nobody kept a checkpoint elsewhere and there is no witness**: a copy is whole in itself (the test of the truncated log shows it).",
    "What was cut since the last cosignature, and a log that is shown to no witness: the age of the last cosignature tells.",
    "A quorum of witnesses that are in league with the operator.",
    "Data changed behind the log where it has no words of its own and changes with time: role and end of a place, profession and secrecy of an affectation, state and credentials of an account. That somebody made the row is checked, what it says today is not.",
    "Data changed behind the log by somebody who also holds the key-encryption key and writes a record that says so.",
    "A power cut: the commits wait for the disk (`fsync`), and no test takes the power away.",
    "A pruning that is made up whole, the request and the confirmation of two persons included, by whoever verifies **without the key and without an older checkpoint or export**.",
];

/// Files whose tests have no database under them.
const NO_DATABASE: &[&str] = &["src/audit/", "src/service/cosigning.rs", "tests/store/verifier/"];

/// The text of a test, from its name on.
fn body<'a>(source: &'a str, file: &str, name: &str) -> &'a str {
    let at = source.find(&format!("fn {name}(")).unwrap_or_else(|| panic!("{file}: no `{name}`"));
    let (before, from) = source.split_at(at);
    assert!(before.trim_end().ends_with("#[test]"), "{file}: `{name}` is no test");
    // It ends with the brace that stands as far from the margin as its name.
    let margin = before.rsplit('\n').next().unwrap();
    let end = from.find(&format!("\n{margin}}}\n")).unwrap_or(from.len());
    from.split_at(end).0
}

/// On what a test runs, by its own text: one that goes through `engines()` runs on both.
fn runs_on(root: &Path, file: &str, name: &str) -> &'static str {
    let source = fs::read_to_string(root.join(file)).unwrap();
    let body = body(&source, file, name);
    if body.contains("in engines()") {
        "SQLite and PostgreSQL"
    } else if body.contains("\"RELAIS_TEST_POSTGRES\"") {
        "PostgreSQL"
    } else if NO_DATABASE.iter().any(|one| file.starts_with(one)) {
        "no database"
    } else {
        "SQLite"
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn page(root: &Path) -> String {
    let mut out = String::from(
        "# Attacks on the log\n\nMade from `tests/architecture/attacks.rs`: do not edit by hand (`RELAIS_BLESS=1 cargo test --test architecture`).\nThe attacker owns the database; some also have the log's key.\n\n\
         This page says that the tests are there, not that they are green: `./tests/run` does. It runs every one of them with a PostgreSQL server of its own and ends with `N passed, 0 failed`. After each test stands what it runs on, \
         read from its text; on PostgreSQL only where `RELAIS_TEST_POSTGRES` names a server, and one test fails where the feature is on and there is none.\n\n| attack | control | seen by | test, and what it runs on |\n|---|---|---|---|\n",
    );
    for row in ROWS {
        let on = |(file, name): &(&str, &str)| format!("`{name}` ({file}): {}", runs_on(root, file, name));
        let tests: Vec<String> = row.tests.iter().map(on).collect();
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            cell(row.attack),
            cell(row.control),
            cell(row.seen_by),
            tests.join("<br>")
        )
        .unwrap();
    }
    out.push_str("\n## What is not seen\n\n");
    for line in UNSEEN {
        writeln!(out, "* {line}").unwrap();
    }
    out
}

#[test]
fn the_page_of_attacks_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for row in ROWS {
        assert!(!row.tests.is_empty(), "{}: no test", row.attack);
    }
    let page = page(root);
    let path = root.join("docs/attacks.md");
    if std::env::var_os("RELAIS_BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "docs/attacks.md differs from its table; look at it, then RELAIS_BLESS=1");
}
