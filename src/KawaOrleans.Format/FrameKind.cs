namespace KawaOrleans.Format;

/// <summary>What a frame holds. A reader that meets a kind it does not know refuses it, unless the kind has the
/// <see cref="Skippable"/> bit.</summary>
public enum FrameKind : byte
{
    /// <summary>No frame: never written.</summary>
    None = 0,

    /// <summary>One event.</summary>
    Event = 1,

    /// <summary>Some removed positions; the body is their number.</summary>
    Gap = 2,

    /// <summary>A bound for recovery; takes no position.</summary>
    Checkpoint = 3,

    /// <summary>Bounds and indexes, behind the end of a sealed segment; takes no position.</summary>
    Footer = 4,

    /// <summary>The bit that lets an older reader pass over a kind it does not know.</summary>
    Skippable = 0x80,
}

/// <summary>Flags of an event frame. Bits without a name here are zero; a reader refuses others.</summary>
[Flags]
public enum FrameTraits : byte
{
    /// <summary>An event within a batch, without an occurred time.</summary>
    None = 0,

    /// <summary>The last event of its batch: what precedes it in the batch counts only together with it.</summary>
    LastOfBatch = 1,

    /// <summary>The body carries an occurred time.</summary>
    HasOccurred = 2,

    /// <summary>The event, of type <c>$deleted</c> and the last of its batch, deletes its stream: nothing before it is shown to readers.</summary>
    DeletesStream = 4,

    /// <summary>The event, of type <c>$tombstone</c> and the last of its batch, ends its stream for ever.</summary>
    EndsStream = 8,
}
