namespace KawaOrleans.Tests.History;

/// <summary>The ways in which a log can break its promises.</summary>
public enum ViolationKind
{
    /// <summary>An acknowledged event is not there, or not where its answer said; or a batch is there in part.</summary>
    Lost,

    /// <summary>An event is there twice.</summary>
    Duplicate,

    /// <summary>An event lies before one that was acknowledged before it was given, or a batch is not in one piece.</summary>
    Reordered,

    /// <summary>An event is there, or was read, that nobody gave or whose append was refused.</summary>
    Phantom,

    /// <summary>A read, or a refusal, did not know of what had been acknowledged before it began.</summary>
    Stale,

    /// <summary>Revisions are not dense, or an append was accepted or refused against what it expected.</summary>
    RevisionMismatch,
}

/// <summary>One broken promise.</summary>
public sealed record Violation(ViolationKind Kind, string What)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Kind}: {What}";
}
