# All files of the web UI, one after the other; the table that is generated beside knows where each begins.
    .section .rodata
    .balign 16
    .global gyre_web_assets
    .hidden gyre_web_assets
    .type gyre_web_assets, @object
gyre_web_assets:
    .incbin "web_assets.bin"
    .byte 0
    .size gyre_web_assets, . - gyre_web_assets
    .section .note.GNU-stack, "", @progbits
