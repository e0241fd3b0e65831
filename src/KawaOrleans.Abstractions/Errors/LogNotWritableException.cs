namespace KawaOrleans;

/// <summary>The log takes no appends now; the message says why. Nothing was written.</summary>
[GenerateSerializer, Alias("kawa.error.log-not-writable")]
public sealed class LogNotWritableException : KawaException
{
    /// <summary>Creates the exception.</summary>
    public LogNotWritableException(string log, string reason)
        : base($"Log '{log}' takes no appends now: {reason}")
    {
        Log = log;
        Reason = reason;
    }

    /// <summary>The log.</summary>
    [Id(0)]
    public string Log { get; }

    /// <summary>Why, in one sentence.</summary>
    [Id(1)]
    public string Reason { get; }

    /// <inheritdoc/>
    public override bool IsRetryable => true;
}
