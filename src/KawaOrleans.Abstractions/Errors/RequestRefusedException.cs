namespace KawaOrleans;

/// <summary>The request breaks a rule that the message names. Nothing was changed; repeating it unchanged is refused again.</summary>
[GenerateSerializer, Alias("kawa.error.request-refused")]
public sealed class RequestRefusedException : KawaException
{
    /// <summary>Creates the exception.</summary>
    public RequestRefusedException(string message)
        : base(message)
    {
    }
}
