namespace KawaOrleans.Silo;

/// <summary>What the process tells its supervisor.</summary>
internal static class ExitCode
{
    /// <summary>Stopped as asked.</summary>
    public const int Ok = 0;

    /// <summary>Could not start; the last line on standard error says why.</summary>
    public const int Failed = 1;

    /// <summary>The options cannot work; starting again with the same ones fails again.</summary>
    public const int BadOptions = 2;
}
