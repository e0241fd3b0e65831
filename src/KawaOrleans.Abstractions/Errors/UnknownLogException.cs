namespace KawaOrleans;

/// <summary>There is no log of this name.</summary>
[GenerateSerializer, Alias("kawa.error.unknown-log")]
public sealed class UnknownLogException : KawaException
{
    /// <summary>Creates the exception.</summary>
    public UnknownLogException(string log)
        : base($"There is no log '{log}'. Create it, or append to it, first.") => Log = log;

    /// <summary>The name asked for.</summary>
    [Id(0)]
    public string Log { get; }
}
