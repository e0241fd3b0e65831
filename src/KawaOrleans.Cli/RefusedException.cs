namespace KawaOrleans.Cli;

/// <summary>The command did nothing, and says why.</summary>
internal sealed class RefusedException(string reason, int exitCode) : Exception(reason)
{
    public int ExitCode { get; } = exitCode;
}
