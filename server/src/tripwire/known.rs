//! Made-up numbers that everybody knows: documentation, advertisements and payment processors'
//! tests are full of them, so they say nothing of anybody.

/// Social security numbers of advertisements and examples.
pub const SSNS: [&str; 6] =
    ["123456789", "078051120", "219099999", "457555462", "123121234", "111223333"];

/// Cards of processors' test modes, by their first digits: whole numbers, and ranges that
/// they keep for tests.
pub const CARDS: [&str; 34] = [
    "400000",
    "4242424242424242",
    "4111111111111111",
    "4012888888881881",
    "4012000033330026",
    "4222222222222",
    "4005519200000004",
    "4009348888881881",
    "4500600000000061",
    "4217651111111119",
    "4917610000000000",
    "4988438843884305",
    "4484070000000000",
    "4716989580001715",
    "4539791001730106",
    "5555555555554444",
    "5105105105105100",
    "5200828282828210",
    "5454545454545454",
    "5399999999999999",
    "2223003122003222",
    "2223000048410010",
    "2222400070000005",
    "378282246310005",
    "371449635398431",
    "378734493671000",
    "6011111111111117",
    "6011000990139424",
    "6011981111111113",
    "30569309025904",
    "38520000023237",
    "36227206271667",
    "3530111333300000",
    "3566002020360505",
];

/// The sample identifiers of the Medicare card (CMS).
pub const MBIS: [&str; 3] = ["1EG4TE5MK72", "1EG4TE5MK73", "1AA0AA0AA00"];

/// Routing numbers of tests.
pub const ROUTINGS: [&str; 6] =
    ["110000000", "110000614", "021000021", "011401533", "123456780", "111111118"];
