using System.Globalization;

namespace KawaOrleans;

/// <summary>What a writer expects of a stream at the moment its batch is written.</summary>
public readonly record struct ExpectedRevision
{
    private const long AnyCode = 0;
    private const long NoStreamCode = 1;
    private const long StreamExistsCode = 2;
    private const long FirstExactCode = 3;

    private ExpectedRevision(long code) => Code = code;

    /// <summary>Nothing: the stream may be at any revision, or have no event.</summary>
    public static ExpectedRevision Any => default;

    /// <summary>That the stream has no event, or was deleted by the last one it has.</summary>
    public static ExpectedRevision NoStream => new(NoStreamCode);

    /// <summary>That the stream has an event, and the last one did not delete it.</summary>
    public static ExpectedRevision StreamExists => new(StreamExistsCode);

    /// <summary>True when anything is expected.</summary>
    public bool IsSomething => Code != AnyCode;

    /// <summary>The form that travels: 0 any, 1 no stream, 2 exists, 3 + n exactly n.</summary>
    internal long Code { get; }

    /// <summary>That the stream's last event has this revision.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or beyond what a stream can have.</exception>
    public static ExpectedRevision Exactly(long revision)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(revision);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(revision, long.MaxValue - FirstExactCode);
        return new ExpectedRevision(revision + FirstExactCode);
    }

    /// <summary>True when it holds of a stream whose last event has this revision; −1: it has no event.</summary>
    public bool Allows(long lastRevision) => Code switch
    {
        AnyCode => true,
        NoStreamCode => lastRevision < 0,
        StreamExistsCode => lastRevision >= 0,
        _ => lastRevision == Code - FirstExactCode,
    };

    /// <summary>The same of a stream in a state: one that was deleted counts as none, and its revisions go on.</summary>
    public bool Allows(long lastRevision, StreamState state) => state switch
    {
        StreamState.Tombstoned => false,
        StreamState.Deleted when Code is NoStreamCode or StreamExistsCode => Code == NoStreamCode,
        _ => Allows(lastRevision),
    };

    /// <inheritdoc/>
    public override string ToString() => Code switch
    {
        AnyCode => "any",
        NoStreamCode => "no stream",
        StreamExistsCode => "an existing stream",
        _ => (Code - FirstExactCode).ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>The expectation of a form that travelled; null when there is none of it.</summary>
    internal static ExpectedRevision? OfCode(long code) => code < 0 ? null : new ExpectedRevision(code);
}
