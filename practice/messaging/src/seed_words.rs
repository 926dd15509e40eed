//! What is written in seeded conversations: short threads of a practice's everyday, made up.

/// Who writes a line of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// The member whose conversation it is.
    Provider,
    /// The client.
    Client,
}

use Writer::{Client, Provider};

/// Lines of one thread, in their order; `{name}` is the client's first name.
pub type Thread = &'static [(Writer, &'static str)];

/// Lines of the longest thread.
pub const LONGEST: usize = 6;

/// The threads. Those that a provider begins stand first.
pub const THREADS: [Thread; 10] = [
    &[
        (Provider, "Hi {name}, welcome! Please fill in the intake form before our first session."),
        (Client, "Thank you. I have just sent it."),
        (Provider, "Got it, see you on Tuesday."),
    ],
    &[
        (Provider, "Hi {name}, how did the food diary go this week?"),
        (Client, "I managed five of the seven days."),
        (Provider, "That is a good start."),
        (Provider, "Which meal was the hardest to write down?"),
        (Client, "Dinner. I come home late and am too tired."),
        (Provider, "Let us plan <strong>two quick dinners</strong> in our next session."),
    ],
    &[
        (Provider, "Did you try the walk after lunch?"),
        (Client, "Yes, four times. It helps."),
        (Provider, "Great. Let us keep it for two more weeks."),
    ],
    &[
        (Provider, "Just checking in, {name}: how are you?"),
        (Client, "Better than last week, thank you."),
    ],
    &[
        (Provider, "The handout of our last session is ready. What did you take from it?"),
        (
            Client,
            "Three things:<ul><li>more fiber</li><li>less coffee</li><li>earlier nights</li></ul>",
        ),
        (Provider, "That is all of it."),
    ],
    &[
        (Client, "Could we move our appointment to the afternoon?"),
        (Provider, "Yes, 3 pm and 4:30 pm are free."),
        (Client, "4:30 pm, please."),
        (Provider, "Done. You will get a new confirmation."),
        (Client, "Perfect, thanks!"),
    ],
    &[
        (Client, "The link to the video call did not open for me."),
        (Provider, "Sorry about that. Please try it in another browser, I am waiting there."),
        (Client, "It works now."),
    ],
    &[
        (Client, "Do you send the invoice to my insurance?"),
        (Provider, "We do, at the end of the month. There is nothing you need to do."),
    ],
    &[
        (Client, "Is there a breakfast without eggs that you can recommend?"),
        (Provider, "Overnight oats with berries. I will bring the recipe to our next session."),
        (Client, "Thank you!"),
    ],
    &[
        (Client, "I will be travelling next week."),
        (Client, "Can we do the session by video?"),
        (Provider, "Of course, I have changed it. Have a good trip!"),
    ],
];

/// How many of the threads a provider begins.
pub const BEGUN_BY_PROVIDER: usize = 5;
