using Microsoft.Extensions.Options;

namespace KawaOrleans.Client;

/// <summary>Refuses options that cannot work; the message names the property.</summary>
internal sealed class KawaClientOptionsValidator : IValidateOptions<KawaClientOptions>
{
    private const int MaxReadBlockBytes = 8 * 1024 * 1024;

    public ValidateOptionsResult Validate(string? name, KawaClientOptions options)
    {
        var reason = options switch
        {
            _ when options.NodeSilence < TimeSpan.FromMilliseconds(100) || options.NodeSilence > TimeSpan.FromSeconds(30) =>
                $"{nameof(options.NodeSilence)} is 100 ms to 30 s; {options.NodeSilence} is not.",
            _ when options.RetryFor < TimeSpan.Zero || options.RetryFor > TimeSpan.FromMinutes(5) =>
                $"{nameof(options.RetryFor)} is 0 to 5 minutes; {options.RetryFor} is not.",
            { BlocksAhead: < 1 or > 64 } => $"{nameof(options.BlocksAhead)} is 1 to 64; {options.BlocksAhead} is not.",
            { ReadBlockBytes: < 4096 or > MaxReadBlockBytes } =>
                $"{nameof(options.ReadBlockBytes)} is 4096 to {MaxReadBlockBytes}; {options.ReadBlockBytes} is not.",
            _ => null,
        };
        return reason is null ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail($"{nameof(KawaClientOptions)}.{reason}");
    }
}
