namespace KawaOrleans;

/// <summary>The append may or may not be in the log: its answer was lost. Read the log, or repeat the append with the same event ids.</summary>
[GenerateSerializer, Alias("kawa.error.unknown-outcome")]
public sealed class UnknownOutcomeException : KawaException
{
    /// <summary>Creates the exception.</summary>
    public UnknownOutcomeException(string log, string reason, Exception? inner = null)
        : base($"The outcome of an append to log '{log}' is unknown: {reason}", inner) => Log = log;

    /// <summary>The log.</summary>
    [Id(0)]
    public string Log { get; }
}
