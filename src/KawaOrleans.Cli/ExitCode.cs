namespace KawaOrleans.Cli;

/// <summary>What the process answers.</summary>
internal static class ExitCode
{
    public const int Good = 0;

    /// <summary>Something does not hold what was written, or a repair was refused.</summary>
    public const int Damaged = 1;

    /// <summary>It could not be read or used: locked, foreign, unreadable, or the command line makes no sense.</summary>
    public const int Unusable = 2;
}
