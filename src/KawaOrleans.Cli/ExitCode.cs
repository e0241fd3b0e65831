namespace KawaOrleans.Cli;

/// <summary>What the process answers.</summary>
internal static class ExitCode
{
    public const int Good = 0;

    /// <summary>Something does not hold what was written, or what was asked was refused.</summary>
    public const int Damaged = 1;

    /// <summary>It could not be read, used or reached: locked, foreign, unreadable, silent, or the command line makes no sense.</summary>
    public const int Unusable = 2;
}
